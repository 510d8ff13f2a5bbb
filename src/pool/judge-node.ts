import type { Block } from "./block.ts";
import { type Doubt, judgeBlock } from "./judge-block.ts";
import type { Pool, PoolNode } from "./pool.ts";

/** Why a block is to be given back, by a handshake with its node. Once closing it stays so: ask the API server before, not a cache. */
export type CloseReason =
  | "pool gone" // of that UID: its name may be another pool's by now
  | "pool deleting"
  | "node replaced" // made again under its name
  | "node unselected"
  | "one too many"; // its node is served by another one

export type NodeVerdict<Known extends Block = Block> = {
  /** Blocks that aren't closing yet, and shall be. */
  close: { block: Known; why: CloseReason }[];
  /** Blocks that stay as they are, and that a person should look at. */
  doubtful: { block: Known; why: Doubt }[];
  /** Its pods get addresses: no new block is wanted. */
  isServed: boolean;
};

/**
 * What becomes of a Node's blocks of a pool whose spec is good. Of several that serve it, the first in `order` stays: the lowest, unless the
 * caller knows better.
 */
export function judgeNode<Known extends Block>(
  pool: Pool,
  node: PoolNode,
  blocks: readonly Known[],
  order: (a: Known, b: Known) => number = byIndex,
): NodeVerdict<Known> {
  const verdict: NodeVerdict<Known> = { close: [], doubtful: [], isServed: false };
  for (const block of blocks.filter(({ closing }) => !closing).sort(order)) {
    const { doubt, serves } = judgeBlock(pool, block);
    const why = reasonToClose(pool, node, block) ?? (serves && verdict.isServed ? "one too many" : undefined);
    if (why) {
      verdict.close.push({ block, why });
      continue;
    }
    if (doubt) verdict.doubtful.push({ block, why: doubt });
    verdict.isServed ||= serves;
  }
  return verdict;
}

function reasonToClose(pool: Pool, node: PoolNode, block: Block): CloseReason | undefined {
  return reasonByItself(pool.uid, node, block) ?? (pool.selects(node) ? undefined : "node unselected");
}

/** What the pool's spec has no part in: so it is where that is invalid, too. `poolUID`: undefined where no pool has its name any more. */
export function reasonByItself(
  poolUID: string | undefined,
  node: Pick<PoolNode, "uid">,
  { pool, nodeUID }: Block,
): CloseReason | undefined {
  if (pool.uid !== poolUID) return "pool gone";
  return nodeUID === node.uid ? undefined : "node replaced";
}

export function byIndex(a: Block, b: Block): number {
  return a.index < b.index ? -1 : a.index > b.index ? 1 : 0;
}
