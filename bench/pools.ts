// npm run bench -- pools [--only=PARTS] [--nodes=N,N] [--rounds=5] [--json=FILE] [--report]: what pools cost.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { reasonForNoRealApiServer } from "../test/parts/real-api-server.ts";
import { describeMachine } from "./machine.ts";
import { measureCluster } from "./pools-cluster.ts";
import { type Effort, measurePlanner } from "./pools-planner.ts";
import { describePools, judgePools, writePoolReport } from "./pools-report.ts";
import type { PoolResults } from "./pools-results.ts";

/** What can be measured, by its name in the results. */
const parts = {
  planner: async (effort: Effort, say: (words: string) => void) => measurePlanner(effort, say),
  cluster: (_: Effort, say: (words: string) => void) => measureCluster(say),
};

/** Prints the tables; the exit code is 1 where a goal is missed. */
export async function benchPools(words: string[], output: string): Promise<number> {
  const { values } = parseArgs({
    args: words,
    options: {
      nodes: { type: "string", default: "1000,2000,5000,10000,20000,50000,100000" },
      rounds: { type: "string", default: "5" },
      only: { type: "string", default: usualParts().join(",") },
      json: { type: "string", default: join(output, "bench-pools.json") },
      report: { type: "boolean", default: false },
    },
  });
  const results = existsSync(values.json)
    ? (JSON.parse(readFileSync(values.json, "utf8")) as PoolResults)
    : {};
  const effort = {
    nodes: values.nodes.split(",").map((text) => parseCount("nodes", text)),
    rounds: parseCount("rounds", values.rounds),
  };
  for (const part of values.only.split(",").map(parsePart)) {
    const found = await parts[part](effort, (what) => console.error(`bench: ${part}: ${what}`));
    const runtime = `Node ${process.versions.node}`;
    const run = { date: new Date().toISOString(), runtime, machine: describeMachine() };
    Object.assign(results, { [part]: { ...run, ...found } });
  }
  mkdirSync(dirname(values.json), { recursive: true });
  writeFileSync(values.json, `${JSON.stringify(results, undefined, 2)}\n`);
  console.log(describePools(results));
  if (values.report) writePoolReport(results);
  return judgePools(results).every(({ reached }) => reached) ? 0 : 1;
}

/** Without a real API server the planner alone. */
function usualParts(): string[] {
  return Object.keys(parts).filter((part) => part !== "cluster" || reasonForNoRealApiServer() === undefined);
}

function parsePart(name: string): keyof typeof parts {
  if (Object.hasOwn(parts, name)) return name as keyof typeof parts;
  throw new Error(`--only: no part "${name}" of pools; there are ${Object.keys(parts).join(", ")}`);
}

function parseCount(name: string, text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count > 0) return count;
  throw new Error(`--${name}: expected a number from 1 on, found "${text}"`);
}
