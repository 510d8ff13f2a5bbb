import type { PoolReference } from "../api/pool-names.ts";
import type { Block } from "./block.ts";
import type { Planner, Shortage } from "./planner.ts";
import type { Pool, PoolNode } from "./pool.ts";

/** A pool as it stands in the API: `pool` is undefined where its spec can't be planned with, which frees nothing. */
export type PoolState = PoolReference & { uid: string; deleting: boolean; pool: Pool | undefined };

export type CloseReason = "pool deleting" | "node replaced" | "node unselected";

/** A block that stays as it is, and that a person should look at. */
export type Doubt =
  | "no pool" // its pool isn't there
  | "another pool" // its pool was made again under its name
  | "unreadable" // its addresses make no sense
  | "off the grid" // its addresses aren't those of its index
  | "outside" // beyond the end of the pool
  | "no address left" // all of it is excluded
  | "kept for another" // a static allocation says so
  | "one too many"; // its node has a lower one

export type Plan = {
  /** In order of pools and nodes' names. */
  create: { pool: Pool; node: PoolNode; index: bigint }[];
  close: { block: Block; why: CloseReason }[];
  /** Blocks whose Node (of that name) is gone: how long they are kept is a matter of time. */
  orphans: Block[];
  unplaced: { pool: Pool; node: PoolNode; why: Shortage }[];
  doubtful: { block: Block; why: Doubt }[];
  /** One for each pool that could be planned with, everything of the plan occupied: to place the next node with. By `poolKey`. */
  planners: Map<string, Planner>;
};

/** `IPPool/a`. */
export function poolKey({ kind, name }: PoolReference): string {
  return `${kind}/${name}`;
}

/** What there is to be done. The order of what comes in doesn't matter; everything recorded is occupied before anything is given. */
export function plan(_pools: PoolState[], _nodes: PoolNode[], _blocks: Block[]): Plan {
  throw new Error("not yet");
}
