// Writes what pools cost into docs/scale.md and docs/bench-pools.svg: node bench/pools-report.ts _output/bench-pools.json
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkout } from "../test/parts/tools.ts";
import { drawPoolChart } from "./pools-chart.ts";
import { describeStored } from "./pools-paper.ts";
import type { GrowthRow, PlannerResults, PoolResults, Run } from "./pools-results.ts";
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
  const { planner } = results;
  const words = { true: "yes", false: "**no**", undefined: "not measured" };
  const targets = judgePools(results).map(({ what, limit, value, reached }) => [
    what,
    limit,
    value === undefined ? "" : `${digits(value)} ms`,
    words[`${reached}`],
  ]);
  return [
    "### What was to be reached",
    formatTable(["what", "to be reached", "measured", "reached"], targets),
    ...(planner ? [describePlanner(planner), ...describeStored(planner)] : []),
  ].join("\n\n");
}

export function judgePools({ planner }: PoolResults): Target[] {
  if (!planner) return [];
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
