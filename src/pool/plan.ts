import type { PoolReference } from "../api/pool-names.ts";
import type { Block } from "./block.ts";
import { type CloseReason, type Doubt, judgeBlock, reasonToClose } from "./judge-block.ts";
import { createPlanner, type Planner, type Shortage } from "./planner.ts";
import type { Pool, PoolNode } from "./pool.ts";

/** A pool as it stands in the API: `pool` is undefined where its spec can't be planned with, which frees nothing. */
export type PoolState = PoolReference & { uid: string; deleting: boolean; pool: Pool | undefined };

/** All of it in order of pools, and there of nodes' names or of indexes. */
export type Plan = {
  create: { pool: Pool; node: PoolNode; index: bigint }[];
  /** Blocks that aren't closing yet, and shall be. */
  close: { block: Block; why: CloseReason }[];
  /** Blocks whose Node (of that name) is gone: how long they are kept is a matter of time. */
  orphans: Block[];
  unplaced: { pool: Pool; node: PoolNode; why: Shortage }[];
  /** Blocks that stay as they are, and that a person should look at. */
  doubtful: { block: Block; why: Doubt }[];
  /** By `poolKey`, for each pool that gives blocks; all of the plan is occupied in it: to place the next node with. */
  planners: Map<string, Planner>;
};

/** `IPPool/a`. */
export function poolKey({ kind, name }: PoolReference): string {
  return `${kind}/${name}`;
}

/** What there is to be done. The order of what comes in doesn't matter; everything recorded is occupied before anything is given. */
export function plan(
  pools: readonly PoolState[],
  nodes: readonly PoolNode[],
  blocks: readonly Block[],
): Plan {
  const whole: Plan = { create: [], close: [], orphans: [], unplaced: [], doubtful: [], planners: new Map() };
  const inOrder = nodes.toSorted((a, b) => compare(a.name, b.name));
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const byPool = Map.groupBy(
    blocks.toSorted((a, b) => compare(a.index, b.index)),
    ({ pool }) => poolKey(pool),
  );
  const states = new Map(pools.map((state) => [poolKey(state), state]));
  for (const key of [...new Set([...states.keys(), ...byPool.keys()])].sort()) {
    const state = states.get(key);
    const own = byPool.get(key) ?? [];
    if (!state) whole.doubtful.push(...own.map((block) => ({ block, why: "no pool" as const })));
    else if (state.deleting) closeAll(whole, own, byName);
    else if (state.pool) planPool(whole, state.pool, own, inOrder, byName);
  }
  return whole;
}

function closeAll(whole: Plan, blocks: Block[], byName: Map<string, PoolNode>): void {
  for (const block of blocks) {
    if (!byName.has(block.nodeName)) whole.orphans.push(block);
    if (!block.closing) whole.close.push({ block, why: "pool deleting" });
  }
}

function planPool(
  whole: Plan,
  pool: Pool,
  blocks: Block[],
  nodes: PoolNode[],
  byName: Map<string, PoolNode>,
): void {
  const planner = createPlanner(pool);
  whole.planners.set(poolKey(pool), planner);
  for (const block of blocks) planner.occupy(block);
  const served = serve(whole, pool, blocks, byName);
  for (const node of nodes) {
    if (served.has(node.name) || !pool.selects(node)) continue;
    const placed = planner.place(node);
    if ("index" in placed) whole.create.push({ pool, node, index: placed.index });
    else whole.unplaced.push({ pool, node, why: placed.why });
  }
}

/** Names of the nodes that have a block which their pods get addresses of. */
function serve(whole: Plan, pool: Pool, blocks: Block[], byName: Map<string, PoolNode>): Set<string> {
  const served = new Set<string>();
  for (const block of blocks) {
    const node = byName.get(block.nodeName);
    const why = node && reasonToClose(pool, node, block);
    if (!node) whole.orphans.push(block);
    else if (why) whole.close.push({ block, why });
    else if (!block.closing) {
      const { doubt, serves } = judgeBlock(pool, block);
      const more = serves && served.has(node.name) ? "one too many" : undefined;
      if (doubt ?? more) whole.doubtful.push({ block, why: (doubt ?? more) as Doubt });
      if (serves) served.add(node.name);
    }
  }
  return served;
}

function compare<T extends string | bigint>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
