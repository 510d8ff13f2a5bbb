import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, describe, expect, it } from "vitest";
import { judgePools, writePoolReport } from "../../bench/pools-report.ts";
import type { PoolResults } from "../../bench/pools-results.ts";
import { checkout } from "../parts/tools.ts";

const folder = mkdtempSync(join(tmpdir(), "bench-pools-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the benchmark of pools", () => {
  const json = join(folder, "pools.json");

  it("measures the planner with as many nodes as one likes, and says what was reached", async () => {
    const words = [
      "bench/main.ts",
      "pools",
      "--nodes=50,100,400",
      "--rounds=1",
      "--only=planner",
      `--json=${json}`,
    ];
    const { stdout } = await execa(process.execPath, words, { cwd: checkout, reject: false });
    const { planner } = JSON.parse(readFileSync(json, "utf8")) as PoolResults;
    expect(planner?.growth.map(({ nodes }) => nodes)).toEqual([50, 100, 400]);
    expect(planner?.goals.map(({ nodes, pools }) => [nodes, pools])).toEqual([
      [5000, 4],
      [100_000, 1],
    ]);
    for (const { full, again, read, placed, oneMore } of planner?.growth ?? [])
      for (const ms of [full, again, read, placed, oneMore.p50, oneMore.p99]) expect(ms).toBeGreaterThan(0);
    expect(planner?.sizes.nodeBlock).toBeGreaterThan(500);
    expect(stdout).toContain("| plan from nothing, 100,000 nodes × 1");
    expect(stdout).toMatch(/Slopes.*from nothing -?\d+\.\d\d/);
  });

  it("fails where a goal is missed, and writes its numbers between the markers", () => {
    const results = JSON.parse(readFileSync(json, "utf8")) as PoolResults;
    const row = results.planner?.growth[1];
    if (row) row.oneMore.p99 = 0.3;
    const missed = judgePools(results).filter(({ reached }) => !reached);
    expect(missed.map(({ what }) => what)).toContain("one node more beside 100, p99 of bests");
    mkdirSync(join(folder, "docs"));
    writeFileSync(
      join(folder, "docs/scale.md"),
      "before\n<!-- bench:begin -->\nold\n<!-- bench:end -->\nafter\n",
    );
    writePoolReport(results, folder);
    const text = readFileSync(join(folder, "docs/scale.md"), "utf8");
    expect(text).toMatch(
      /^before\n<!-- bench:begin -->\n[\s\S]*0\.3 ms +\| \*\*no\*\*[\s\S]*<!-- bench:end -->\nafter\n$/,
    );
    expect(text).not.toContain("old");
    expect(readFileSync(join(folder, "docs/bench-pools.svg"), "utf8")).not.toMatch(/NaN|undefined|Infinity/);
  });

  it("says which parts there are where one is unknown", async () => {
    const { stderr, exitCode } = await execa(process.execPath, ["bench/main.ts", "pools", "--only=x"], {
      cwd: checkout,
      reject: false,
    });
    expect([exitCode, stderr]).toEqual([
      1,
      'bench: --only: no part "x" of pools; there are planner, cluster',
    ]);
  });
});
