import {
  type AnnotationPlan,
  overlapsOwnPodCIDRs,
  type WantedAnnotation,
} from "../survey/annotation-plan.ts";
import type { Survey } from "../survey/survey.ts";
import { warn } from "./say-few.ts";
import type { Shell } from "./shell.ts";

/** What doesn't keep an annotation from being written, but should be known. */
export function warnOf(
  { strays }: AnnotationPlan,
  survey: Survey,
  targets: ReadonlySet<string>,
  wanted: WantedAnnotation,
  shell: Shell,
): void {
  const { key } = wanted;
  const malformed = survey.ranges.flatMap((one) =>
    one.key === key && one.malformed !== undefined && !targets.has(one.node)
      ? [`${key} of ${one.node} is malformed, so it was not compared: ${one.malformed}`]
      : [],
  );
  const shared = overlapsOwnPodCIDRs(survey, targets, wanted).map(
    (node) =>
      `${key} of ${node} overlaps with that node's own podCIDRs: good only where both are for one network`,
  );
  const outside = strays.map(
    ({ address, namespace, pod, node }) =>
      `${address} of ${namespace}/${pod} on ${node} would lie outside: the pod keeps it until it ends`,
  );
  for (const lines of [survey.notes, malformed, shared, outside]) warn(lines, shell);
}
