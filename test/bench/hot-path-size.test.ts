import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { arrangeSources } from "../../scripts/arrange-sources.ts";

// Bytes of minified code at most: what every call of a runtime loads. Lines of ours cost next to nothing (114 KB that nobody
// calls: 0.4 ms of processor time), a library that sets itself up does not: zod would add 90 KB and 6 ms to an ADD that takes
// twelve, yaml 116 KB and 10 ms. Code for errors, for people and for asking the API server stands behind import().
const budgets = { ranges: 60_400, waiting: 62_300, asking: 89_200 };

// A module of Node's costs between nothing and 5 ms under Bun (node:https): each one is chosen.
const chosen = ["fs", "timers/promises"];

type Import = { path: string; kind: string; external?: boolean };
type Metafile = {
  inputs: Record<string, { imports: Import[] }>;
  outputs: Record<string, { bytes: number; entryPoint?: string; imports: Import[]; inputs: object }>;
};

const folder = mkdtempSync(join(tmpdir(), "hot-path-"));
let built: Metafile;
beforeAll(async () => {
  const metafile = join(folder, "meta.json");
  const sources = join(folder, "sources");
  arrangeSources(sources);
  const flags = ["--minify", "--splitting", "--format=esm", "--target=bun", `--metafile=${metafile}`];
  await execa("bun", ["build", ...flags, "bin/executable.ts", "--outdir", join(folder, "out")], {
    cwd: sources,
  });
  built = JSON.parse(readFileSync(metafile, "utf8")) as Metafile;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The files that are loaded where a module is: itself, and what it imports before it runs. */
function loadedWith(...entries: string[]): string[] {
  const open = Object.keys(built.outputs).filter((path) =>
    entries.includes(built.outputs[path]?.entryPoint ?? ""),
  );
  const found = new Set<string>();
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    found.add(path);
    const imports = built.outputs[path]?.imports.filter(({ kind }) => kind === "import-statement") ?? [];
    open.push(...imports.map((one) => one.path).filter((one) => built.outputs[one] && !found.has(one)));
  }
  return [...found];
}

const bytesOf = (paths: string[]) =>
  paths.reduce((sum, path) => sum + (built.outputs[path]?.bytes ?? Number.NaN), 0);

describe("what a call loads", () => {
  it(`is ${budgets.ranges} bytes at most where the ranges are known`, () => {
    const bytes = bytesOf(loadedWith("bin/executable.ts"));
    expect(bytes).toBeGreaterThan(10_000);
    expect(bytes).toBeLessThan(budgets.ranges);
  });

  it("is one chunk beside the entry", () => {
    expect(loadedWith("bin/executable.ts")).toHaveLength(2);
  });

  it.each([
    ["another call's answer is waited for", budgets.waiting, ["src/ranges/ask.ts"]],
    ["the API server is asked", budgets.asking, ["src/ranges/ask.ts", "src/ranges/ask-node.ts"]],
  ])("where %s is %i bytes at most", (_, budget, more) => {
    for (const path of more) expect(loadedWith(path)).not.toEqual([]);
    expect(bytesOf(loadedWith("bin/executable.ts", ...more))).toBeLessThan(budget);
  });

  it(`has no library in it, and of Node's own modules ${chosen.join(" and ")}`, () => {
    const sources = loadedWith("bin/executable.ts").flatMap((path) =>
      Object.keys(built.outputs[path]?.inputs ?? {}),
    );
    expect(sources.filter((path) => path.includes("node_modules"))).toEqual([]);
    const imports = sources.flatMap((path) => built.inputs[path]?.imports ?? []);
    const own = imports
      .filter(({ kind, external }) => external && kind === "import-statement")
      .map(({ path }) => path);
    expect([...new Set(own)].sort()).toEqual(chosen);
  });
});
