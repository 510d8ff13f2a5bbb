import { type PoolReference, poolKey } from "../api/pool-names.ts";
import type { Block } from "./block.ts";
import { byIndex, judgeNode, type NodeVerdict } from "./judge-node.ts";
import { createPlanner, type Planner, type Shortage } from "./planner.ts";
import type { Pool, PoolNode } from "./pool.ts";

/** A pool as it stands in the API: `pool` is undefined where its spec can't be planned with, which frees nothing. */
export type PoolState = PoolReference & { uid: string; deleting: boolean; pool: Pool | undefined };

/** All of it in order of pools, and there of nodes' names, or of indexes. */
export type Plan = Pick<NodeVerdict, "close" | "doubtful"> & {
  create: { pool: Pool; node: PoolNode; index: bigint }[];
  /** Blocks whose Node (of that name) is gone: how long they are kept is a matter of time. */
  orphans: Block[];
  unplaced: { pool: Pool; node: PoolNode; why: Shortage }[];
  /** By `poolKey`, for each pool that gives blocks; all of the plan is occupied in it: to place the next node with. */
  planners: Map<string, Planner>;
};

/** What there is to be done. The order of what comes in doesn't matter; everything recorded is occupied before anything is given. */
export function plan(
  pools: readonly PoolState[],
  nodes: readonly PoolNode[],
  blocks: readonly Block[],
): Plan {
  const whole: Plan = { create: [], close: [], orphans: [], unplaced: [], doubtful: [], planners: new Map() };
  const inOrder = nodes.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const known = new Set(nodes.map(({ name }) => name));
  const byPool = Map.groupBy(blocks.toSorted(byIndex), ({ pool }) => poolKey(pool));
  const states = new Map(pools.map((state) => [poolKey(state), state]));
  for (const key of [...new Set([...states.keys(), ...byPool.keys()])].sort()) {
    const state = states.get(key);
    const own = byPool.get(key) ?? [];
    // An invalid spec frees nothing.
    if (state && !state.deleting && !state.pool) continue;
    whole.orphans.push(...own.filter(({ nodeName }) => !known.has(nodeName)));
    if (state?.pool && !state.deleting) planPool(whole, state.pool, own, inOrder);
    else closeAll(whole, own, state?.uid);
  }
  return whole;
}

function closeAll(whole: Plan, blocks: Block[], uid: string | undefined): void {
  for (const block of blocks.filter(({ closing }) => !closing))
    whole.close.push({ block, why: block.pool.uid === uid ? "pool deleting" : "pool gone" });
}

function planPool(whole: Plan, pool: Pool, blocks: Block[], nodes: PoolNode[]): void {
  const planner = createPlanner(pool);
  whole.planners.set(poolKey(pool), planner);
  for (const block of blocks) planner.occupy(block);
  const byNode = Map.groupBy(blocks, ({ nodeName }) => nodeName);
  const verdicts = nodes.map((node) => ({ node, ...judgeNode(pool, node, byNode.get(node.name) ?? []) }));
  whole.close.push(...verdicts.flatMap(({ close }) => close));
  whole.doubtful.push(...verdicts.flatMap(({ doubtful }) => doubtful));
  for (const { node, isServed } of verdicts) {
    if (isServed || !pool.selects(node)) continue;
    const placed = planner.place(node);
    if ("index" in placed) whole.create.push({ pool, node, index: placed.index });
    else whole.unplaced.push({ pool, node, why: placed.why });
  }
}
