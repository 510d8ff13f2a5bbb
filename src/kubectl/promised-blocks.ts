import { formatCidr } from "../address/cidr.ts";
import { overlaps } from "../address/range.ts";
import { isStatus } from "../kube/api-error.ts";
import type { Client } from "../kube/client.ts";
import type { Holder } from "../split/committed-plan.ts";
import { wholeOf } from "../split/span.ts";
import type { AnnotationChange, WantedAnnotation } from "../survey/annotation-plan.ts";
import { formatRangeSet, rangeSetsOf } from "../survey/range-set.ts";
import type { Survey } from "../survey/survey.ts";
import { type PlanPlace, readPlan } from "./plan-object.ts";

/** What split's plan of this annotation says; none where there is none, or where it may not be read, which is noted. */
export async function readPromises(client: Client, place: PlanPlace, notes: string[]): Promise<Holder[]> {
  try {
    return (await readPlan(client, place))?.plan.holders ?? [];
  } catch (error) {
    if (!isStatus(error, 403)) throw error;
    notes.push(`blocks that split has promised were not compared: ${error.message}`);
    return [];
  }
}

/**
 * Conflicts, as sentences without their end, with blocks that split has promised to other Nodes, and that stand in no annotation yet, or
 * in that of a Node which was deleted. One that a Node has other ranges in place of is promised no more (docs/decisions/0009).
 */
export function findPromised(
  holders: readonly Holder[],
  { nodes, ranges }: Survey,
  changes: AnnotationChange[],
  wanted: WantedAnnotation,
): string[] {
  const { key } = wanted;
  const names = new Map(nodes.map(({ uid, name }) => [uid, name]));
  const written = new Map(ranges.filter((one) => one.key === key).map((one) => [one.node, rangeSetsOf(one)]));
  const promised = holders.flatMap(({ node, uid, blocks }) => {
    const name = names.get(uid);
    const spans = (name === undefined ? [] : (written.get(name) ?? [])).flatMap((set) => set.spans);
    const open = blocks.filter(({ ip }) => !spans.some(({ first }) => first.family === ip.family));
    const whose = name === undefined ? `the deleted Node ${node}` : node;
    return open.map((block) => ({ uid, whose, block, span: wholeOf(block) }));
  });
  return changes.flatMap(({ node }) =>
    rangeSetsOf({ node: node.name, key, ranges: wanted.ranges }).flatMap((set) => {
      const other = promised.find(
        ({ uid, span }) => uid !== node.uid && set.spans.some((own) => overlaps(own, span)),
      );
      if (!other) return [];
      const own = `${formatRangeSet(set.ranges)} (${key} of ${node.name})`;
      return [`${own} overlaps with ${formatCidr(other.block)}, which split has promised to ${other.whose}`];
    }),
  );
}
