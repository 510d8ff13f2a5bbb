import type { Cidr } from "../address/cidr.ts";
import type { Span } from "../address/range.ts";
import { countIn, mergeRuns, type Run } from "../address/runs.ts";
import { blockAt, countBlocks, type Grid, runOf } from "./grid.ts";

/** The blocks that no span touches, lowest first. Costs what the spans cost, however many blocks there are. */
export function* freeBlocks(grid: Grid, taken: Span[]): Generator<Cidr, undefined> {
  let next = 0n;
  for (const { first, last } of mergedRuns(grid, taken)) {
    while (next < first) yield blockAt(grid, next++);
    next = last + 1n;
  }
  for (const end = countBlocks(grid); next < end; ) yield blockAt(grid, next++);
  return undefined;
}

/** How many blocks the spans touch. */
export function countTaken(grid: Grid, taken: Span[]): bigint {
  return countIn(mergedRuns(grid, taken));
}

function mergedRuns(grid: Grid, taken: Span[]): Run[] {
  return mergeRuns(taken.flatMap((span) => runOf(grid, span) ?? []));
}
