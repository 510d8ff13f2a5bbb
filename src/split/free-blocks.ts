import type { Cidr } from "../address/cidr.ts";
import type { Span } from "../address/range.ts";
import { blockAt, countBlocks, type Grid, type Run, runOf } from "./grid.ts";

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
  return mergedRuns(grid, taken).reduce((sum, { first, last }) => sum + last - first + 1n, 0n);
}

/** In order, none touching another. */
function mergedRuns(grid: Grid, taken: Span[]): Run[] {
  const runs = taken.flatMap((span) => runOf(grid, span) ?? []);
  runs.sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  const merged: Run[] = [];
  for (const run of runs) {
    const before = merged.at(-1);
    if (!before || run.first > before.last) merged.push(run);
    else if (run.last > before.last) merged[merged.length - 1] = { first: before.first, last: run.last };
  }
  return merged;
}
