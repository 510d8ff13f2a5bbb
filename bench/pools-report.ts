// Writes what pools cost into docs/scale.md and docs/bench-pools.svg: node bench/pools-report.ts _output/bench-pools.json
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkout } from "../test/parts/tools.ts";
import { drawPoolChart } from "./pools-chart.ts";
import { describeStored } from "./pools-paper.ts";
import type { ClusterResults, GrowthRow, PlannerResults, PoolResults, Run } from "./pools-results.ts";
import { fill } from "./report.ts";
import { formatTable } from "./table.ts";
import type { Target } from "./targets.ts";

if (import.meta.main) {
  const [file] = process.argv.slice(2);
  if (file === undefined) {
    console.error("usage: node bench/pools-report.ts _output/bench-pools.json");
    process.exitCode = 1;
  } else {
    writePoolReport(JSON.parse(readFileSync(file, "utf8")) as PoolResults);
  }
}

/** Into the files below `root`. */
export function writePoolReport(results: PoolResults, root: string = checkout): void {
  if (results.planner) writeFileSync(join(root, "docs/bench-pools.svg"), drawPoolChart(results.planner));
  fill(join(root, "docs/scale.md"), describePools(results));
}

/** Everything that was measured, as text that is Markdown too. */
export function describePools(results: PoolResults): string {
  const { planner, cluster } = results;
  const words = { true: "yes", false: "**no**", undefined: "not measured" };
  const targets = judgePools(results).map(({ what, limit, value, reached }) => [
    what,
    limit,
    value === undefined ? "" : `${digits(value)} ${/^[≤≥] \S+ (.*)$/.exec(limit)?.[1] ?? ""}`.trim(),
    words[`${reached}`],
  ]);
  return [
    "### What was to be reached",
    formatTable(["what", "to be reached", "measured", "reached"], targets),
    ...(planner ? [describePlanner(planner), ...describeStored(planner)] : []),
    ...(cluster ? [describeCluster(cluster)] : []),
  ].join("\n\n");
}

export function judgePools({ planner, cluster }: PoolResults): Target[] {
  return [...(planner ? judgePlanner(planner) : []), ...(cluster ? judgeCluster(cluster) : [])];
}

function judgePlanner(planner: PlannerResults): Target[] {
  const atMost = (what: string, limit: number, value: number): Target => ({
    what,
    limit: `≤ ${limit} ms`,
    value,
    reached: value <= limit,
  });
  return [
    ...planner.goals.map(({ nodes, pools, ms, limit }) =>
      atMost(`plan from nothing, ${count(nodes)} nodes × ${pools}`, limit, ms),
    ),
    ...planner.growth.map(({ nodes, oneMore }) =>
      atMost(`one node more beside ${count(nodes)}, p99 of bests`, 0.2, oneMore.p99),
    ),
  ];
}

function judgeCluster({ nodes, ...found }: ClusterResults): Target[] {
  const { nodesASecond, requestsANode, joined, reconcilesABeat, memory, restart } = found;
  const atMost = (what: string, limit: number, unit: string, value: number): Target => ({
    what,
    limit: `≤ ${limit} ${unit}`.trim(),
    value,
    reached: value <= limit,
  });
  const filled = { value: nodesASecond, reached: nodesASecond >= 150 };
  return [
    { what: `${count(nodes)} Nodes get a block and its annotation`, limit: "≥ 150 a second", ...filled },
    atMost("requests for each of them", 2.02, "", requestsANode),
    atMost("a Node that joins them has its annotation, p50", 100, "ms", joined.p50),
    atMost("the same, p99", 1000, "ms", joined.p99),
    atMost("looks at Nodes for a heartbeat", 0, "", reconcilesABeat),
    atMost(`memory, ${count(nodes)} Nodes × 4 pools`, 200, "MiB", Math.max(memory.now, restart.memory.now)),
    atMost("the same, peak", 300, "MiB", Math.max(memory.peak, restart.memory.peak)),
    atMost("writes of a start with everything in place", 0, "", restart.writes),
  ];
}

function describeCluster({ nodes, restart, memory, ...run }: Run & ClusterResults): string {
  const asked = Object.entries(restart.requests).map(([verb, times]) => `${verb} ${times}`);
  return [
    "### The controller, on a real API server beside it",
    describeRun(run),
    `A start with ${count(nodes)} Nodes × 4 pools in place takes ${digits(restart.ms / 1000)} s and asks ${asked.join(", ")} (a list in pages counts as one).\nMemory: ${digits(memory.now)} MiB after filling (peak ${digits(memory.peak)}), ${digits(restart.memory.now)} MiB after a start (peak ${digits(restart.memory.peak)}).`,
  ].join("\n\n");
}

function describePlanner({ growth, ...run }: Run & PlannerResults): string {
  const rows = growth.map(({ nodes, full, again, read, oneMore, placed }) => [
    count(nodes),
    digits(full),
    digits(again),
    digits(read),
    digits(oneMore.p50 * 1000),
    digits(oneMore.p99 * 1000),
    digits(placed * 1000),
  ]);
  const slopes = (["full", "again", "read", "placed"] as const).map((key) =>
    slopeOf(growth, (row) => row[key]).toFixed(2),
  );
  const more = slopeOf(growth, ({ oneMore }) => oneMore.p50).toFixed(2);
  const [full, again, read, placed] = slopes;
  return [
    "### The planner, on one core",
    describeRun(run),
    "![Cost over nodes](bench-pools.svg)",
    formatTable(
      [
        "nodes",
        "from nothing, ms",
        "again, ms",
        "NodeBlocks read, ms",
        "one more p50, µs",
        "p99 of bests, µs",
        "placed, µs",
      ],
      rows,
    ),
    `Slopes, as powers of the number of nodes (1: twice the nodes cost twice as much; 0: they cost nothing): from nothing ${full},\nagain ${again}, read ${read}, one more ${more}, placed ${placed}.`,
  ].join("\n\n");
}

/** By least squares of the logarithms. */
function slopeOf(rows: GrowthRow[], of: (row: GrowthRow) => number): number {
  const points = rows.map((row) => [Math.log(row.nodes), Math.log(of(row))] as const);
  const mean = (at: 0 | 1) => points.reduce((sum, point) => sum + point[at], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const above = points.reduce((sum, [a, b]) => sum + (a - x) * (b - y), 0);
  return above / points.reduce((sum, [a]) => sum + (a - x) ** 2, 0);
}

function describeRun({ date, runtime, machine: { processor, processors, memoryGiB, kernel } }: Run): string {
  return `${date.slice(0, 10)}, ${runtime}; ${processors} × ${processor}, ${memoryGiB} GiB, Linux ${kernel}.`;
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** Three that count. */
function digits(value: number): string {
  return value >= 100 ? count(Math.round(value)) : String(Number(value.toPrecision(3)));
}
