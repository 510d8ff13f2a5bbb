import type { Span } from "../address/range.ts";
import type { Run } from "../address/runs.ts";

/** Blocks of one size, side by side from `first` on, numbered from 0. What is left at the end is no block. */
export type Grid = {
  readonly family: 4 | 6;
  readonly first: bigint;
  readonly size: bigint;
  readonly count: bigint;
};

/** All addresses of a block. */
export function spanOfBlock({ family, first, size }: Grid, index: bigint): Span {
  const start = first + index * size;
  return { first: { family, value: start }, last: { family, value: start + size - 1n } };
}

/** The blocks that a span touches; undefined where it lies outside. */
export function runOfBlocks({ family, first, size, count }: Grid, span: Span): Run | undefined {
  const end = first + count * size;
  if (span.first.family !== family || span.last.value < first || span.first.value >= end) return undefined;
  return {
    first: span.first.value < first ? 0n : (span.first.value - first) / size,
    last: span.last.value >= end ? count - 1n : (span.last.value - first) / size,
  };
}
