import { formatIp } from "../address/ip.ts";
import type { Range, RangeSet } from "../address/range.ts";
import {
  type PoolAnnotation,
  type PoolAnnotationBlock,
  parsePoolAnnotation,
  parsePoolRange,
} from "../api/pool-annotation.ts";
import { poolOfAnnotationKey } from "../api/pool-names.ts";

/** A pool annotation, and each block's addresses as a range set. Throws an AnnotationError. */
export function readPoolRanges(text: string): { ranges: RangeSet[]; pool: PoolAnnotation } {
  const pool = parsePoolAnnotation(text);
  return { pool, ranges: pool.blocks.map(rangesOf) };
}

function rangesOf({ subnet, ranges, gateway }: PoolAnnotationBlock): Range[] {
  return ranges.flatMap((text) => {
    const span = parsePoolRange(text);
    if (!span) return [];
    const ends = { rangeStart: formatIp(span.first), rangeEnd: formatIp(span.last) };
    return [{ subnet, ...ends, ...(gateway !== undefined && { gateway }) }];
  });
}

/** How people see a key: a pool's as `ippool/NAME`, any other as it is. */
export function labelOfKey(key: string): string {
  const pool = poolOfAnnotationKey(key);
  return pool ? `${pool.kind.toLowerCase()}/${pool.name}` : key;
}
