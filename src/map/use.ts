import type { Block } from "./territory.ts";

/** How use becomes a shade: as a share of what there is or, where blocks are too large for that, of what the fullest one holds. */
export type Scale = { readonly of: "usable" } | { readonly of: "most"; readonly most: number };

/** What is in use of one or more blocks. */
export type Use = { readonly held: number; readonly usable: bigint };

// Pods never fill a larger block: a /64 would look empty for ever.
const fillable = 1n << 20n;

export function scaleFor(blocks: readonly Block[]): Scale {
  const large = blocks.filter(({ usable }) => usable > fillable).length;
  if (large * 2 <= blocks.length) return { of: "usable" };
  return { of: "most", most: blocks.reduce((most, { held }) => Math.max(most, held.length), 0) };
}

export function useOf(blocks: readonly Block[]): Use {
  return {
    held: blocks.reduce((sum, { held }) => sum + held.length, 0),
    usable: blocks.reduce((sum, { usable }) => sum + usable, 0n),
  };
}

/** From 0 to 1 for the shade of `count` blocks together. */
export function shadeOf({ held, usable }: Use, count: number, scale: Scale): number {
  const all = scale.of === "usable" ? Number(usable) : scale.most * count;
  return all === 0 ? 0 : Math.min(1, held / all);
}

/** The steps of a shade in pictures, each with what it is up to, as a share; the last is for what is nearly full. */
export const levels = [0, 0.25, 0.5, 0.75, 0.9, 1];

/** Which step: the first is for nothing at all, and nothing is nearly full where fullness isn't what is shown. */
export function levelOf(use: Use, count: number, scale: Scale): number {
  const shade = shadeOf(use, count, scale);
  const level = shade === 0 ? 0 : levels.findIndex((upTo, at) => at > 0 && (shade < upTo || upTo === 1));
  return scale.of === "usable" ? level : Math.min(level, levels.length - 2);
}

/** Fullest first, the same order for the same blocks. */
export function byUse(blocks: readonly Block[]): Block[] {
  const share = ({ held, usable }: Block): number => held.length / Math.max(1, Number(usable));
  return [...blocks].sort((a, b) => share(b) - share(a) || b.held.length - a.held.length);
}
