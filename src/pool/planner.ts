import type { Block } from "./block.ts";
import type { Pool, PoolNode } from "./pool.ts";

/** Why a node has no block: all are taken; or the one that is kept for it is another node's, or has no address left. */
export type Shortage = "none free" | "static taken" | "static unusable";

export type Placed = { index: bigint } | { why: Shortage };

type Claim = Pick<Block, "index" | "span">;

/** Which blocks of one pool are free. Placing costs the logarithm of what was placed before, however big the pool is. */
export type Planner = {
  /** Every NodeBlock that is recorded, whatever its state, before the first `place`: its index and all blocks that it touches. */
  occupy(block: Claim): void;
  /** The NodeBlock is gone from the API server. As it was given to `occupy`. */
  release(block: Claim): void;
  /** The node's static block, else the lowest free one; occupied from here on. */
  place(node: Pick<PoolNode, "name">): Placed;
  /** Blocks that could be given, or were. */
  readonly total: bigint;
  readonly free: bigint;
};

export function createPlanner(_pool: Pool): Planner {
  throw new Error("not yet");
}
