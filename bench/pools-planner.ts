// A part of `bench -- pools`: the planner alone, in this process, on one core.

import { formatPoolAnnotation } from "../src/api/pool-annotation.ts";
import { poolKey } from "../src/api/pool-names.ts";
import { type Block, draftBlock, readBlock } from "../src/pool/block.ts";
import { type Plan, type PoolState, plan } from "../src/pool/plan.ts";
import type { Planner } from "../src/pool/planner.ts";
import type { Pool, PoolNode } from "../src/pool/pool.ts";
import { projectBlocks } from "../src/pool/project-blocks.ts";
import { readPool } from "../src/pool/read-pool.ts";
import type { GrowthRow, PlannerResults } from "./pools-results.ts";
import { measureSizes } from "./pools-sizes.ts";
import { median, quantile } from "./statistics.ts";

const joins = 2000;

/** How many nodes there are beside the one more, and how often each thing is measured. */
export type Effort = { nodes: number[]; rounds: number };

export function measurePlanner(
  { nodes: sizes, rounds }: Effort,
  say: (words: string) => void,
): PlannerResults {
  const goals = [
    { nodes: 5000, pools: 4, limit: 1000 },
    { nodes: 100_000, pools: 1, limit: 10_000 },
  ].map(({ nodes, pools, limit }) => {
    say(`${nodes} nodes × ${pools} pools from nothing`);
    const states = Array.from({ length: pools }, (_, i) => makePool(i));
    const all = makeNodes(nodes);
    const took = repeat(rounds, () => time(() => checkAllPlaced(plan(states, all, []), nodes * pools)));
    return { nodes, pools, limit, ms: took };
  });
  measureGrowth(1000, 1); // The compiler's warm-up counts for none of the rows.
  const growth = sizes.map((nodes) => {
    say(`one node more beside ${nodes}`);
    return measureGrowth(nodes, rounds);
  });
  return { goals, growth, sizes: measureSizes(makePool(0).pool as Pool) };
}

/** Turns between the kinds and families; a CIDRPool of 2^64 blocks is the first. */
function makePool(i: number): PoolState {
  const specs = [
    { cidr: "fd00::/32", perNodeNetworkPrefix: 96, gatewayIndex: 1 },
    { subnet: "10.0.0.0/8", perNodeBlockSize: 64, gateway: "10.0.0.1" },
    { cidr: "100.64.0.0/10", perNodeNetworkPrefix: 28, gatewayIndex: 1 },
    { subnet: "fd01::/64", perNodeBlockSize: 64, gateway: "fd01::1" },
  ];
  const exclusions = [
    [{ startIP: "fd00::100:0:0", endIP: "fd00::107:ffff:ffff" }],
    [{ startIP: "10.0.16.0", endIP: "10.0.16.255" }],
    [{ startIP: "100.64.1.0", endIP: "100.64.1.255" }],
    [{ startIP: "fd01::1000", endIP: "fd01::1fff" }],
  ];
  const kind = i % 2 === 0 ? "CIDRPool" : "IPPool";
  const spec = {
    ...specs[i % 4],
    exclusions: exclusions[i % 4],
    perNodeReserved: { last: 1 },
    nodeSelector: {
      nodeSelectorTerms: [{ matchExpressions: [{ key: "zone", operator: "In", values: ["a", "b"] }] }],
    },
  };
  const read = readPool({ kind, name: `pool-${i}`, uid: `uid-${i}`, spec });
  if (!("pool" in read))
    throw new Error(`the pool of the benchmark is wrong: ${JSON.stringify(read.faults)}`);
  return { kind, name: `pool-${i}`, uid: `uid-${i}`, deleting: false, pool: read.pool };
}

/** In no order. */
function makeNodes(count: number, prefix = "node"): PoolNode[] {
  return Array.from({ length: count }, (_, i) => (i * 7919) % count).map((i) => ({
    name: `${prefix}-${i}`,
    uid: `7f9c5f5e-0000-4000-8000-${String(i).padStart(12, "0")}`,
    labels: {
      "kubernetes.io/hostname": `${prefix}-${i}`,
      "kubernetes.io/os": "linux",
      zone: i % 2 ? "a" : "b",
    },
  }));
}

function measureGrowth(count: number, rounds: number): GrowthRow {
  const state = makePool(0);
  const pool = state.pool as Pool;
  const nodes = makeNodes(count);
  const full = repeat(rounds, () => time(() => checkAllPlaced(plan([state], nodes, []), count)));
  const documents = plan([state], nodes, []).create.map(({ node, index }) =>
    JSON.stringify(draftBlock(pool, node, index)),
  );
  let blocks: Block[] = [];
  const read = repeat(rounds, () =>
    time(() => {
      blocks = documents.flatMap((text) => readBlock(JSON.parse(text)) ?? []);
    }),
  );
  let last: Plan | undefined;
  const again = repeat(rounds, () =>
    time(() => {
      last = plan([state], nodes, blocks);
      checkAllPlaced(last, 0);
    }),
  );
  const planner = last?.planners.get(poolKey(state)) as Planner;
  return { nodes: count, full, again, read, ...measureJoins(pool, planner, count, rounds) };
}

/** Each joins beside all the others, and leaves again; what one before it left is somewhere among theirs. Of each one's rounds, the best. */
function measureJoins(
  pool: Pool,
  planner: Planner,
  count: number,
  rounds: number,
): Pick<GrowthRow, "oneMore" | "placed"> {
  const newcomers = makeNodes(joins, "new");
  const all = Array.from({ length: rounds }, () =>
    newcomers.map((node, i) => joinOne(pool, planner, node, BigInt((i * 7919) % count))),
  );
  const took = newcomers.map((_, i) => Math.min(...all.map((round) => round[i] as number)));
  const placed = repeat(rounds, () =>
    time(() => {
      for (const [i, node] of newcomers.entries()) {
        place(planner, node);
        planner.release(BigInt((i * 104_729) % count));
      }
    }),
  );
  return {
    oneMore: { p50: median(took), p99: quantile(took, 0.99) },
    placed: placed / joins,
  };
}

function joinOne(pool: Pool, planner: Planner, node: PoolNode, leaver: bigint): number {
  const took = time(() => {
    if (!pool.selects(node)) throw new Error(`${node.name} isn't selected`);
    const draft = JSON.stringify(draftBlock(pool, node, place(planner, node)));
    const block = readBlock(JSON.parse(draft)) as Block;
    formatPoolAnnotation(projectBlocks(pool, node.uid, [block]));
  });
  planner.release(leaver);
  return took;
}

function place(planner: Planner, node: PoolNode): bigint {
  const placed = planner.place(node);
  if (!("index" in placed)) throw new Error(`${node.name}: ${placed.why}`);
  return placed.index;
}

function checkAllPlaced({ create, unplaced, doubtful }: Plan, expected: number): void {
  if (create.length !== expected || unplaced.length + doubtful.length > 0)
    throw new Error(
      `expected ${expected} blocks, found ${create.length}, ${unplaced.length} nodes without, ${doubtful.length} doubtful`,
    );
}

function time(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

/** The best of several rounds: what else the machine does can only add to it. */
function repeat(rounds: number, once: () => number): number {
  return Math.min(...Array.from({ length: rounds }, once));
}
