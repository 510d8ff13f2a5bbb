import { formatSpan } from "../split/span.ts";
import type { AnnotationChange, WantedAnnotation } from "../survey/annotation-plan.ts";
import { claimsOfPools, findPoolWith } from "../survey/pool-claims.ts";
import type { PoolObjects } from "../survey/pool-objects.ts";
import { formatRangeSet } from "../survey/range-set.ts";

/** Conflicts, as sentences without their end, with addresses of pools: at most one of each range set, as all Nodes get the same. */
export function findInPools(
  objects: PoolObjects,
  changes: readonly AnnotationChange[],
  { key, ranges }: WantedAnnotation,
): string[] {
  const pools = claimsOfPools(objects);
  const found = ranges.flatMap((set) => {
    const other = findPoolWith(pools, set);
    return other ? [{ set, words: `${formatSpan(other.span)} of ${other.owner}` }] : [];
  });
  return changes.flatMap(({ node }) =>
    found.map(({ set, words }) => `${formatRangeSet(set)} (${key} of ${node.name}) overlaps with ${words}`),
  );
}
