import { heldBlocksKey, parseHeldBlocks } from "../api/held-blocks.ts";
import { blocksCarriedBy } from "./carried.ts";
import type { NodeRecord } from "./records.ts";

/** Names of blocks that a Node says it has: open ones that its annotations carry, and those that its agent holds leases of. */
export function claimedBy(node: NodeRecord): Set<string> {
  const carried = [...blocksCarriedBy(node).values()].flatMap(({ name, closing }) => (closing ? [] : [name]));
  return new Set([...carried, ...heldBy(node)]);
}

function heldBy({ annotations }: NodeRecord): string[] {
  const text = annotations[heldBlocksKey];
  try {
    return text === undefined ? [] : parseHeldBlocks(text).map(({ name }) => name);
  } catch {
    return [];
  }
}
