import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { names } from "../../bench/contenders.ts";
import { writeReport } from "../../bench/report.ts";
import type { Results } from "../../bench/results.ts";
import { executables } from "../parts/plugin.ts";
import { checkout, hostLocals, whatLacks } from "../parts/tools.ts";

const lack = whatLacks(hostLocals().length > 0 ? {} : { missing: "host-local" });
const folder = mkdtempSync(join(tmpdir(), "bench-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(lack.some)(`the benchmark${lack.words}`, () => {
  const json = join(folder, "bench.json");
  let printed: string;
  let results: Results;
  beforeAll(async () => {
    const [kubeNode = ""] = executables()[0]?.command("kube-node") ?? [];
    const flags = ["--rounds=3", "--warmup=1", "--only=profile", `--json=${json}`];
    const env = { BENCH_PEERS: `same=${kubeNode}`, KUBEBUILDER_ASSETS: "" };
    printed = (await execa(process.execPath, ["bench/main.ts", ...flags], { cwd: checkout, env })).stdout;
    results = JSON.parse(readFileSync(json, "utf8")) as Results;
  }, 120_000);

  it("measures each verb of each contender, and says on what", () => {
    for (const verb of ["ADD", "CHECK", "DEL"]) {
      const rows = results.calls.filter((row) => row.verb === verb);
      const found = rows.map(({ contender }) => contender);
      expect(found).toEqual(
        expect.arrayContaining([names.hostLocal, names.kept, names.asking, "same, cached"]),
      );
      for (const { p50, p95, ratio, added } of rows) {
        expect(p50).toBeGreaterThan(0);
        expect(p95).toBeGreaterThanOrEqual(p50);
        expect(ratio).toBeGreaterThan(0);
        expect(added).not.toBeNaN();
      }
    }
    expect(Number.isNaN(Date.parse(results.date))).toBe(false);
    expect(results).toMatchObject({
      rounds: 3,
      peers: ["same"],
      machine: { processors: expect.any(Number) },
    });
    expect(results.versions["API server"]).toMatch(/^embedded/);
  });

  it("counts requests: none where ranges are kept, one where they are asked for", () => {
    const requests = (contender: string, verb: string) =>
      results.work.find((row) => row.contender === contender && row.verb === verb)?.requests;
    expect(requests(names.kept, "ADD")).toBe(0);
    expect(requests(names.asking, "ADD")).toBe(1);
    expect(requests(names.asking, "DEL")).toBe(0);
  });

  it("tells where the time of a call goes, by stages that make up the whole", () => {
    expect(results.profile?.map(({ title }) => title)).toEqual([
      "ADD, ranges kept",
      "CHECK, ranges kept",
      "DEL, ranges kept",
      "ADD, asking the API server",
    ]);
    for (const { total, stages } of results.profile ?? []) {
      const parts = stages.filter(({ within }) => within === undefined).map(({ ms }) => ms);
      expect(parts.reduce((sum, ms) => sum + ms, 0)).toBeCloseTo(total, 6);
      expect(stages.map(({ stage }) => stage)).toEqual(
        expect.arrayContaining(["start-up of the runtime", "parsing", "record", "delegate", "output"]),
      );
    }
  });

  it("prints what it found, and what it left out", () => {
    expect(printed).toContain("| ADD, podCIDRs kept ");
    expect(printed).toContain("not measured");
    expect(printed).toMatch(/^\d{4}-\d\d-\d\d, kube-node /);
  });

  it("writes the chart, and its numbers between the marks of README and docs", () => {
    const root = join(folder, "root");
    mkdirSync(join(root, "docs"), { recursive: true });
    const before = "# Head\n\n<!-- bench:begin -->\nold\n<!-- bench:end -->\n\nTail\n";
    for (const name of ["README.md", "docs/performance.md"]) writeFileSync(join(root, name), before);
    const measured = { contender: names.kept, rate: 100, ratio: 0.7, requests: 0 };
    writeReport({ ...results, bursts: [measured] }, root);
    for (const name of ["README.md", "docs/performance.md"]) {
      const text = readFileSync(join(root, name), "utf8");
      expect(text).toMatch(/^# Head\n\n<!-- bench:begin -->\n[\s\S]*\n<!-- bench:end -->\n\nTail\n$/);
      expect(text).not.toContain("old");
      expect(text).toContain(results.date.slice(0, 10));
    }
    const chart = readFileSync(join(root, "docs/bench.svg"), "utf8");
    expect(unclosedTags(chart)).toEqual([]);
    expect(chart).toContain("prefers-color-scheme: dark");
    expect(chart).toContain(">0.70</text>");
    expect(chart).not.toMatch(/NaN|undefined/);
  });

  it("leaves a file without the marks as it is", () => {
    const root = join(folder, "bare");
    mkdirSync(join(root, "docs"), { recursive: true });
    writeFileSync(join(root, "README.md"), "no marks\n");
    const said = vi.spyOn(console, "error").mockReturnValue();
    writeReport(results, root);
    expect(said.mock.calls.flat().join("\n")).toContain("README.md has no lines <!-- bench:begin -->");
    said.mockRestore();
    expect(readFileSync(join(root, "README.md"), "utf8")).toBe("no marks\n");
    expect(existsSync(join(root, "docs/performance.md"))).toBe(false);
  });

  it("has left nothing in the released executable", () => {
    const [kubeNode = ""] = executables()[0]?.command("kube-node") ?? [];
    expect(readFileSync(kubeNode).includes("KUBE_NODE_PROFILE")).toBe(false);
  });
});

/** Tags that are opened and never closed, or closed and never opened, by their names. */
function unclosedTags(xml: string): string[] {
  const open: string[] = [];
  for (const [, close, name = "", self] of xml.matchAll(/<(\/?)([\w:]+)[^<>]*?(\/?)>/g)) {
    if (self) continue;
    if (!close) open.push(name);
    else if (open.pop() !== name) return [name];
  }
  return open;
}
