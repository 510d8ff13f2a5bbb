import { parseIp } from "../address/ip.ts";
import type { RangeSet } from "../address/range.ts";
import { type Conflict, findConflicts } from "./conflicts.ts";
import { type NodeFacts, podCIDRsKey } from "./node-ranges.ts";
import type { PodAddress } from "./pod-address.ts";
import { holds, type NodeRangeSet, rangeSetsOf } from "./range-set.ts";
import type { Survey } from "./survey.ts";
import { joinPods } from "./usage.ts";

/** An annotation as somebody wants it: `text` with the `ranges` that it means, or none of both to take it away. */
export type WantedAnnotation = { key: string; text?: string; ranges: RangeSet[] };

/** What becomes of one Node. `before` and `after` are the annotation's value; absent: there is none. */
export type AnnotationChange = { node: NodeFacts; before?: string; after?: string };

/** `strays` are addresses that pods have out of the key's ranges, and that would lie outside of the new ones. */
export type AnnotationPlan = { changes: AnnotationChange[]; conflicts: Conflict[]; strays: PodAddress[] };

/** Says what would be, and writes nothing. The survey has to know all Nodes, the key's ranges, podCIDRs and pods. */
export function planAnnotation(
  survey: Survey,
  targets: ReadonlySet<string>,
  wanted: WantedAnnotation,
): AnnotationPlan {
  const { key, text, ranges } = wanted;
  const nodes = survey.nodes.filter(({ name }) => targets.has(name));
  const changes = nodes.map((node): AnnotationChange => {
    const before = Object.hasOwn(node.annotations, key) ? (node.annotations[key] as string) : undefined;
    return { node, ...(before !== undefined && { before }), ...(text !== undefined && { after: text }) };
  });
  const isReplaced = (set: NodeRangeSet) => set.key === key && targets.has(set.node);
  const others = survey.ranges.flatMap(rangeSetsOf).filter((set) => !isReplaced(set));
  const own = nodes.flatMap(({ name: node }) => rangeSetsOf({ node, key, ranges }));
  return {
    changes,
    conflicts: findConflicts([...others, ...own], survey.serviceCIDRs, others.length),
    strays: findStrays(survey, targets, key, own),
  };
}

/** Pods that have their address by this key now: out of its ranges, or in a network of its. */
function findStrays(
  survey: Survey,
  targets: ReadonlySet<string>,
  key: string,
  own: NodeRangeSet[],
): PodAddress[] {
  const networks = new Set(survey.networks.filter((one) => one.key === key).map(({ name }) => name));
  const held = joinPods(survey)
    .sets.filter((set) => set.key === key)
    .flatMap(({ pods }) => pods);
  const attached = survey.pods.filter(({ network }) => networks.has(network));
  const sets = Map.groupBy(own, ({ node }) => node);
  return [...new Set([...held, ...attached])].filter(({ node, address }) => {
    const ip = parseIp(address);
    return targets.has(node) && ip !== undefined && !(sets.get(node) ?? []).some((set) => holds(set, ip));
  });
}

/** A Node's own podCIDRs may be cut down by an annotation for the same network; for another one they are in use twice. */
export function overlapsOwnPodCIDRs(
  survey: Survey,
  targets: ReadonlySet<string>,
  wanted: WantedAnnotation,
): string[] {
  const podCIDRs = survey.ranges.filter(({ node, key }) => key === podCIDRsKey && targets.has(node));
  return podCIDRs.flatMap(({ node, ranges }) => {
    const theirs = rangeSetsOf({ node: "podCIDRs", key: podCIDRsKey, ranges });
    const own = rangeSetsOf({ node, key: wanted.key, ranges: wanted.ranges });
    return findConflicts([...theirs, ...own], [], theirs.length).length > 0 ? [node] : [];
  });
}
