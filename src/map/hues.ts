import type { Block } from "./territory.ts";

/** A number below `count` for every node, so that nodes next to each other anywhere differ where that can be had. */
export function huesOf(blocks: readonly Block[], count: number): Map<string, number> {
  const neighbours = new Map<string, Set<string>>();
  for (const [at, { node }] of blocks.entries()) {
    const own = neighbours.get(node) ?? new Set<string>();
    for (const other of [blocks[at - 1], blocks[at + 1]])
      if (other && other.node !== node) own.add(other.node);
    neighbours.set(node, own);
  }
  const hues = new Map<string, number>();
  let next = 0;
  for (const [node, others] of neighbours) {
    const taken = new Set([...others].map((other) => hues.get(other)));
    const order = Array.from({ length: count }, (_, at) => (next + at) % count);
    const hue = order.find((candidate) => !taken.has(candidate)) ?? next;
    hues.set(node, hue);
    next = (hue + 1) % count;
  }
  return hues;
}
