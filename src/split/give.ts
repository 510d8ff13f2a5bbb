import type { Span } from "../address/range.ts";
import type { Draft } from "./draft.ts";
import { countTaken, freeBlocks } from "./free-blocks.ts";
import { countBlocks, type Grid } from "./grid.ts";
import { formatSpan, wholeOf } from "./span.ts";

/** Blocks of a grid: `taken` before any was given, `given` now. */
export type Use = { grid: Grid; taken: bigint; given: number; free: bigint };

/** Blocks that were passed over, by reason. */
export type PassedOver = { by: string; blocks: bigint };

/**
 * The drafts, in the same order, with the lowest free block in each slot that has none. Throws an Error where blocks run out, which says
 * what was passed over.
 */
export function give(
  drafts: Draft[],
  grids: Grid[],
  taken: Span[],
  passedOver: readonly PassedOver[],
): { drafts: Draft[]; uses: Use[] } {
  const uses = grids.map((grid, index) => {
    const given = drafts.filter(({ slots }) => slots[index]?.from === "nobody").length;
    const before = countTaken(grid, taken);
    const free = countBlocks(grid) - before - BigInt(given);
    if (free < 0n) throw new Error(describeShortage(grid, before, given, passedOver));
    return { grid, taken: before, given, free };
  });
  const supplies = grids.map((grid) => freeBlocks(grid, taken));
  const filled = drafts.map((one) => ({
    ...one,
    slots: one.slots.map((slot, index) => {
      const block = slot.from === "nobody" ? supplies[index]?.next().value : undefined;
      return block ? { ...slot, block } : slot;
    }),
  }));
  return { drafts: filled, uses };
}

function describeShortage(
  grid: Grid,
  taken: bigint,
  wanted: number,
  passedOver: readonly PassedOver[],
): string {
  const all = countBlocks(grid);
  const reasons = passedOver.map(({ by, blocks }) => `${blocks}: ${by}`).join(", ");
  const why = reasons === "" ? "" : ` (${reasons})`;
  return `${formatSpan(wholeOf(grid.network))} has ${all} blocks of /${grid.perNode}; ${taken} are taken or excluded${why}, ${all - taken} are free, and ${wanted} Nodes want one: give a wider --cidr, or select fewer Nodes; nothing was written`;
}
