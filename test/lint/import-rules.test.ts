import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execaSync } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkout } from "../parts/tools.ts";

// DESIGN, "who may import whom", as biome.json has it. Every line of `may` has to pass, every line of `mayNot` to be caught.
type Rules = { may: string[]; mayNot: string[] };

const rules: Record<string, Rules> = {
  address: {
    may: ["./cidr.ts"],
    mayNot: ["../text/json.ts", "../cni/error.ts", "../host/files.ts", "node:net", "ip-address"],
  },
  text: { may: ["./json.ts"], mayNot: ["../address/ip.ts", "../cni/error.ts", "node:util", "yaml"] },
  terminal: { may: ["./table.ts"], mayNot: ["../text/json.ts", "../cni/error.ts", "node:util", "chalk"] },
  cni: {
    may: ["../address/cidr.ts", "../text/json.ts"],
    mayNot: ["../api/annotation.ts", "../host/files.ts", "node:process"],
  },
  api: {
    may: ["../address/cidr.ts", "../text/json.ts", "../cni/error.ts", "zod"],
    mayNot: ["../cni/result.ts", "../kube/node.ts", "../host/files.ts", "node:fs", "yaml"],
  },
  pool: {
    may: ["../address/cidr.ts", "../api/pool.ts"],
    mayNot: ["../kube/node.ts", "../host/clock.ts", "node:timers"],
  },
  move: {
    may: ["../address/cidr.ts", "../api/nv-ipam.ts", "../cni/network.ts", "../pool/read-pool.ts"],
    mayNot: ["../kube/client.ts", "../kubectl/main.ts", "../host/files.ts", "node:fs"],
  },
  split: {
    may: ["../address/cidr.ts", "../api/annotation.ts", "../text/quote.ts"],
    mayNot: ["../cni/error.ts", "../kube/client.ts", "../kubectl/main.ts", "node:crypto"],
  },
  host: {
    may: ["node:fs", "node:timers/promises", "yaml", "undici"],
    mayNot: ["../cni/error.ts", "../text/json.ts", "zod"],
  },
  lease: {
    may: ["../address/ip.ts", "../host/files.ts", "../text/json.ts", "../cni/error.ts", "node:fs"],
    mayNot: ["../cni/result.ts", "../api/annotation.ts", "../kube/node.ts", "execa"],
  },
  kube: {
    may: ["../api/annotation.ts", "../host/files.ts", "../cni/error.ts", "node:crypto"],
    mayNot: [
      "../address/ip.ts",
      "../lease/store.ts",
      "../ranges/ask.ts",
      "../plugin/main.ts",
      "undici",
      "@kubernetes/client-node",
    ],
  },
  ranges: {
    may: [
      "../address/cidr.ts",
      "../api/annotation.ts",
      "../cni/error.ts",
      "../host/log.ts",
      "../kube/node.ts",
      "../lease/store.ts",
    ],
    mayNot: ["../plugin/main.ts", "../cli/main.ts", "../pool/plan.ts", "undici"],
  },
  request: {
    may: [
      "../api/plugin-config.ts",
      "../cni/network.ts",
      "../host/log.ts",
      "../lease/state.ts",
      "../ranges/source.ts",
      "node:fs",
    ],
    mayNot: ["../plugin/main.ts", "../cli/main.ts", "zod"],
  },
  upkeep: {
    may: [
      "../api/plugin-config.ts",
      "../host/exec.ts",
      "../lease/leaks.ts",
      "../request/budget.ts",
      "node:fs",
    ],
    mayNot: ["../plugin/main.ts", "../cli/main.ts", "../agent/main.ts", "../survey/survey.ts", "undici"],
  },
  check: {
    may: [
      "../address/range.ts",
      "../api/annotation.ts",
      "../cni/network.ts",
      "../host/pods-files.ts",
      "../request/ip-ranges.ts",
      "../text/json.ts",
      "yaml",
    ],
    mayNot: [
      "../host/files.ts",
      "../request/request.ts",
      "../kube/node.ts",
      "../cli/main.ts",
      "node:fs",
      "zod",
    ],
  },
  plugin: {
    may: [
      "../request/kube-node.ts",
      "../cni/result.ts",
      "../host/exec.ts",
      "../kube/node.ts",
      "../lease/store.ts",
      "../ranges/ask.ts",
      "../upkeep/move-in.ts",
      "node:fs",
    ],
    mayNot: ["../cli/main.ts", "../agent/main.ts", "../controller/main.ts", "../webhook/main.ts", "zod"],
  },
  survey: {
    may: [
      "../address/range.ts",
      "../api/annotation.ts",
      "../kube/client.ts",
      "../pool/read-pool.ts",
      "../text/json.ts",
      "../cni/error.ts",
    ],
    mayNot: [
      "../host/files.ts",
      "../lease/store.ts",
      "../kubectl/main.ts",
      "../terminal/table.ts",
      "node:fs",
    ],
  },
  map: {
    may: [
      "../address/range.ts",
      "../api/annotation.ts",
      "../survey/survey.ts",
      "../terminal/paint.ts",
      "../text/quote.ts",
    ],
    mayNot: [
      "../host/files.ts",
      "../kube/client.ts",
      "../kubectl/shell.ts",
      "../page/main.ts",
      "node:crypto",
    ],
  },
  page: {
    may: ["../address/ip.ts", "../map/pack.ts"],
    mayNot: ["../survey/survey.ts", "../terminal/table.ts", "../kubectl/shell.ts", "node:fs"],
  },
  kubectl: {
    may: ["../survey/survey.ts", "../kube/client.ts", "../terminal/table.ts", "commander"],
    mayNot: ["../plugin/main.ts", "../cli/main.ts", "../agent/main.ts", "../../test/parts/tools.ts"],
  },
  cli: {
    may: ["../cni/error.ts", "zod"],
    mayNot: ["../plugin/main.ts", "../kubectl/main.ts", "../agent/main.ts", "../../test/parts/tools.ts"],
  },
  agent: {
    may: [
      "../address/range.ts",
      "../api/annotation.ts",
      "../cni/error.ts",
      "../host/files.ts",
      "../kube/node.ts",
      "../lease/leaks.ts",
      "../ranges/agent-file.ts",
      "../text/json.ts",
      "node:http2",
      "commander",
      "prom-client",
    ],
    mayNot: [
      "../plugin/main.ts",
      "../cli/main.ts",
      "../kubectl/main.ts",
      "../controller/main.ts",
      "../webhook/main.ts",
      "../survey/survey.ts",
      "undici",
    ],
  },
  daemon: {
    may: ["../host/files.ts", "../kube/client.ts", "../text/json.ts", "node:http", "prom-client"],
    mayNot: ["../agent/main.ts", "../controller/main.ts", "../lease/store.ts", "commander"],
  },
  controller: {
    may: ["../pool/plan.ts"],
    mayNot: ["../plugin/main.ts", "../cli/main.ts", "../agent/main.ts"],
  },
  webhook: {
    may: ["../pool/plan.ts"],
    mayNot: ["../plugin/main.ts", "../cli/main.ts", "../controller/main.ts"],
  },
};

/** The ways in which one file can reach another. */
const forms: Record<string, (source: string) => string> = {
  import: (source) => `import { a } from "${source}";\nexport const b = a;\n`,
  type: (source) => `import type { A } from "${source}";\nexport type B = A;\n`,
  "export from": (source) => `export { a } from "${source}";\n`,
  "import()": (source) => `export const a = await import("${source}");\n`,
};

const nobody = "bun";
const cases = Object.entries(rules).flatMap(([folder, { may, mayNot }]) => [
  ...may.map((source) => ({ folder, source, caught: false })),
  ...[...mayNot, nobody].map((source) => ({ folder, source, caught: true })),
]);
const probes = cases.flatMap((one, number) =>
  Object.entries(forms).map(([form, write]) => ({
    ...one,
    form,
    write,
    file: `src/${one.folder}/probe-${number}-${form.replace(/\W/g, "")}.ts`,
  })),
);

/** What biome says in a copy of the project that holds nothing but these files: file → names of the rules. */
function lint(folder: string, files: Record<string, string>): Map<string, string[]> {
  for (const name of ["biome.json", ".gitignore"])
    writeFileSync(join(folder, name), readFileSync(join(checkout, name)));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const biome = join(checkout, "node_modules/.bin/biome");
  const { stdout } = execaSync(biome, ["lint", "--reporter=json", "--max-diagnostics=none"], {
    cwd: folder,
    env: { XDG_CACHE_HOME: join(folder, "cache") },
    reject: false,
  });
  type Report = { diagnostics: { category: string; location: { path: string } }[] };
  const found = new Map<string, string[]>();
  for (const { category, location } of (JSON.parse(stdout) as Report).diagnostics) {
    found.set(location.path, [...(found.get(location.path) ?? []), category]);
  }
  return found;
}

describe("who may import whom", () => {
  let folder: string;
  let found: Map<string, string[]>;
  const bun = { outside: "src/kube/bun.ts", inside: "src/host/bun.ts" };
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "import-rules-"));
    const naming = Object.fromEntries(
      Object.values(bun).map((file) => [file, "export const a = Bun.version;\n"]),
    );
    found = lint(folder, {
      ...naming,
      ...Object.fromEntries(probes.map(({ file, write, source }) => [file, write(source)])),
    });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(Object.keys(rules))(
    "src/%s: what it may import passes, and each breach is caught in every form",
    (name) => {
      for (const { file, form, source, caught } of probes.filter((probe) => probe.folder === name)) {
        const caughtHere = (found.get(file) ?? []).includes("lint/style/noRestrictedImports");
        expect({ source, form, caught: caughtHere }).toEqual({ source, form, caught });
      }
    },
  );

  it("every folder of src has its rule here", () => {
    const folders = readdirSync(join(checkout, "src"), { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    );
    expect(Object.keys(rules)).toEqual(expect.arrayContaining(folders.map(({ name }) => name)));
  });

  it("src is two levels deep, which the rules count on", () => {
    const files = readdirSync(join(checkout, "src"), { recursive: true, encoding: "utf8" }).filter((name) =>
      name.endsWith(".ts"),
    );
    for (const file of files) expect(file).toMatch(/^[^/]+\/[^/]+$/);
  });

  it("only src/host names Bun", () => {
    expect(found.get(bun.outside)).toContain("lint/style/noRestrictedGlobals");
    expect(found.get(bun.inside)).toBeUndefined();
  });

  it("src/host loads packages only where it needs one: the plugin would pay for each at every call", () => {
    const hosts = readdirSync(join(checkout, "src/host")).map((name) => ({
      name,
      text: readFileSync(join(checkout, "src/host", name), "utf8"),
    }));
    const eager = /^(?:import|export)\s(?!type\s)[^;]*?from "(?!node:|\.)/m;
    expect('import { parse } from "yaml";\n').toMatch(eager);
    for (const { name, text } of hosts) expect(eager.test(text) ? name : "").toBe("");
  });
});
