import type { Ip } from "../address/ip.ts";
import { formatRange, givable, isInside, type RangeSet, type Span, spanOf } from "../address/range.ts";
import type { NodeRanges } from "./node-ranges.ts";

/** One range set of a Node under a key: host-local gives a pod one address out of it. `size` is how many it can give in all. */
export type NodeRangeSet = { node: string; key: string; ranges: RangeSet; spans: Span[]; size: bigint };

export function rangeSetsOf({ node, key, ranges }: NodeRanges): NodeRangeSet[] {
  return ranges.map((set) => ({
    node,
    key,
    ranges: set,
    spans: set.map(spanOf),
    size: set.reduce((sum, range) => sum + givable(range), 0n),
  }));
}

export function holds({ spans }: NodeRangeSet, ip: Ip): boolean {
  return spans.some((span) => isInside(span, ip));
}

/** As people write it: `10.1.2.0/24`, `10.1.2.10-10.1.2.99/24`, several with a blank between them. */
export function formatRangeSet(ranges: RangeSet): string {
  return ranges.map(formatRange).join(" ");
}
