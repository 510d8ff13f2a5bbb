import type { NodeBlock } from "../api/node-block.ts";
import type { PoolReference } from "../api/pool-names.ts";
import { countPods } from "../move/count-pods.ts";
import { formatTable } from "../terminal/table.ts";
import type { LookBack } from "./migrate-back.ts";
import { nameOfPool } from "./migrate-cluster.ts";
import type { MigrateFlags, Step } from "./migrate-flags.ts";
import type { LookIn } from "./migrate-in.ts";
import { apiVersion, formatDocument } from "./output.ts";
import type { Shell } from "./shell.ts";

/** A pool as the plan shows it, whichever way it goes. */
export type PoolRow = PoolReference & {
  nodes: number;
  blocks: number;
  there: number;
  pods: number;
  doubts: string[];
  notes: string[];
};

export function rowsIn({ plan, cluster }: LookIn): PoolRow[] {
  return plan.pools.map(({ from, create, there, doubts, notes }) => {
    const row = rowOf(from, [...there, ...create], cluster.pods);
    return { ...row, there: there.length, doubts, notes: [...notes, ...row.notes] };
  });
}

export function rowsBack({ pools, cluster }: LookBack): PoolRow[] {
  return pools.flatMap(({ nv, own, blocks, missing, doubts, notes }) => {
    const pool = nv ?? own;
    if (!pool) return [];
    const row = rowOf(pool, blocks, cluster.pods);
    return [{ ...row, there: blocks.length - missing.length, doubts, notes: [...notes, ...row.notes] }];
  });
}

function rowOf({ kind, name }: PoolReference, blocks: NodeBlock[], all: LookIn["cluster"]["pods"]): PoolRow {
  const { stay, elsewhere } = countPods(blocks, all);
  const nodes = new Set(blocks.map(({ spec }) => spec.nodeName)).size;
  return { kind, name, nodes, blocks: blocks.length, there: 0, pods: stay, doubts: [], notes: elsewhere };
}

/** The plan on stderr, or on stdout where it is the result; all doubts, however many. */
export function showPlan(rows: PoolRow[], { output, dryRun }: MigrateFlags, shell: Shell): void {
  if (output !== "table") return;
  const table = formatTable(
    ["POOL", "NODES", "BLOCKS", "THERE", "PODS", "DOUBTS"],
    rows.map((row) => [
      `${row.kind.toLowerCase()}/${row.name}`,
      ...[row.nodes, row.blocks, row.there, row.pods, row.doubts.length].map(String),
    ]),
  );
  if (rows.length > 0) (dryRun === "client" ? shell.print : shell.say)(table);
  for (const row of rows)
    for (const words of row.doubts) shell.say(`${shell.paint.red("doubt:")} ${nameOfPool(row)}: ${words}`);
  for (const row of rows) for (const words of row.notes) shell.say(`note: ${nameOfPool(row)}: ${words}`);
}

/** Each step with how it stands; 0 where all are done. A dry run is good where there is no doubt. */
export async function reportSteps(
  rows: PoolRow[],
  steps: Step[],
  { output, dryRun }: MigrateFlags,
  shell: Shell,
): Promise<number> {
  if (output === "json" || output === "yaml")
    shell.print(await formatDocument({ apiVersion, kind: "Migration", pools: rows, steps }, output));
  else
    for (const [at, { title, state, words }] of steps.entries()) {
      shell.print(`${at + 1}. ${title}: ${state}`);
      for (const line of words) shell.print(`   ${line}`);
    }
  const isAmiss = dryRun === "none" && steps.some(({ state }) => state === "waits" || state === "failed");
  return isAmiss || rows.some(({ doubts }) => doubts.length > 0) ? 1 : 0;
}
