import { type Ip, parseIp } from "../address/ip.ts";
import {
  countOf,
  formatRange,
  givable,
  isInside,
  type RangeSet,
  type Span,
  spanOf,
} from "../address/range.ts";
import type { PoolAnnotationBlock } from "../api/pool-annotation.ts";
import type { NodeRanges } from "./node-ranges.ts";

/**
 * One range set of a Node under a key: host-local gives a pod one address out of it. `size` is how many it can give in all. Of a pool, it is
 * one `block`.
 */
export type NodeRangeSet = {
  node: string;
  key: string;
  ranges: RangeSet;
  spans: Span[];
  size: bigint;
  block?: { name: string; closing: boolean };
};

export function rangeSetsOf({ node, key, ranges, pool }: NodeRanges): NodeRangeSet[] {
  return ranges.map((set, at) => {
    const spans = set.map(spanOf);
    const block = pool?.blocks[at];
    if (!block) return { node, key, ranges: set, spans, size: sum(set.map(givable)) };
    const { name, closing = false } = block;
    return { node, key, ranges: set, spans, size: sizeOfBlock(spans, block), block: { name, closing } };
  });
}

/** Without a gateway of its own, a block loses no address to one. */
function sizeOfBlock(spans: Span[], { gateway }: PoolAnnotationBlock): bigint {
  const ip = gateway === undefined ? undefined : parseIp(gateway);
  return sum(spans.map(countOf)) - (ip && spans.some((span) => isInside(span, ip)) ? 1n : 0n);
}

function sum(sizes: bigint[]): bigint {
  return sizes.reduce((all, size) => all + size, 0n);
}

export function holds({ spans }: NodeRangeSet, ip: Ip): boolean {
  return spans.some((span) => isInside(span, ip));
}

/** As people write it: `10.1.2.0/24`, `10.1.2.10-10.1.2.99/24`, several with a blank between them. */
export function formatRangeSet(ranges: RangeSet): string {
  return ranges.map(formatRange).join(" ");
}
