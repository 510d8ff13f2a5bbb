import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { definitions } from "../../src/agent/metric-definitions.ts";
import { definitions as poolDefinitions } from "../../src/controller/metric-definitions.ts";
import type { Definition } from "../../src/daemon/metrics.ts";
import { checkout } from "../parts/tools.ts";
import { readQuery } from "./prom-query.ts";

const folder = join(checkout, "examples/monitoring");
const metrics = new Map<string, Definition>(
  [...Object.values<Definition>(definitions), ...Object.values<Definition>(poolDefinitions)].flatMap(
    (definition) =>
      (definition.type === "histogram" ? ["_bucket", "_count", "_sum"] : [""]).map(
        (suffix): [string, Definition] => [`${definition.name}${suffix}`, definition],
      ),
  ),
);
/** What Prometheus and the PodMonitor add to a sample. */
const added = ["node", "job", "le"];

/** As Prometheus checks it (model/rulefmt/rulefmt.go). */
const duration = z.string().regex(/^\d+[smhd]$/);
const words = z.string().min(10);
const ruleFile = z.strictObject({
  groups: z.array(
    z.strictObject({
      name: z.string().min(1),
      rules: z.array(
        z.strictObject({
          alert: z.string().regex(/^KubeNode[A-Za-z]+$/),
          expr: z.string().min(1),
          for: duration.optional(),
          labels: z.strictObject({ severity: z.enum(["warning", "critical"]) }),
          annotations: z.strictObject({ summary: words, description: words }),
        }),
      ),
    }),
  ),
});

const panel = z.object({
  id: z.number(),
  title: z.string().min(1),
  gridPos: z.strictObject({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
  targets: z.array(z.object({ expr: z.string().min(1), refId: z.string() })).min(1),
});
const board = z.object({
  uid: z.string().max(40),
  schemaVersion: z.number(),
  panels: z.array(panel),
  templating: z.object({ list: z.array(z.object({ name: z.string(), definition: z.string().optional() })) }),
});

/** The agents', and those of pools. */
const parts = ["", "pools"].map((part) => {
  const read = (file: string) => readFileSync(join(folder, part, file), "utf8");
  return {
    rules: ruleFile
      .parse((parse(read("alerts.yaml")) as { spec: unknown }).spec)
      .groups.flatMap((group) => group.rules),
    dashboard: board.parse(JSON.parse(read("dashboard.json"))),
  };
});
const rules = parts.flatMap((part) => part.rules);
const queries = [
  ...rules.map(({ alert, expr }) => ({ where: `alert ${alert}`, query: expr })),
  ...parts.flatMap(({ dashboard }) => queriesOf(dashboard)),
];

function queriesOf({ panels }: z.infer<typeof board>): { where: string; query: string }[] {
  return panels.flatMap(({ title, targets }) =>
    targets.map(({ expr }) => ({
      where: `panel "${title}"`,
      query: expr.replaceAll("$__rate_interval", "5m"),
    })),
  );
}

describe("alert rules and the dashboard", () => {
  it.each(queries)(
    "$where asks for metrics that exist, by labels and values that they have: $query",
    ({ query }) => {
      const { selectors, grouping } = readQuery(query);
      expect(selectors.length).toBeGreaterThan(0);
      const known = new Set(added);
      for (const { metric, matchers } of selectors) {
        if (metric === "up") continue;
        const definition = metrics.get(metric);
        expect(definition, metric).toBeDefined();
        for (const label of Object.keys(definition?.labels ?? {})) known.add(label);
        for (const { label, values } of matchers) {
          expect([...added, ...Object.keys(definition?.labels ?? {})], metric).toContain(label);
          for (const value of values) if (!value.startsWith("$")) expectValue(definition, label, value);
        }
      }
      for (const label of grouping) expect([...known]).toContain(label);
    },
  );

  it.each(rules)("$alert speaks of labels that its query leaves", ({ expr, annotations }) => {
    const spoken = [...JSON.stringify(annotations).matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label);
    const { selectors, grouping } = readQuery(expr);
    const left = /\b(sum|max|count)\b/.test(expr)
      ? grouping
      : selectors.flatMap(({ metric }) => [...added, ...Object.keys(metrics.get(metric)?.labels ?? {})]);
    for (const label of spoken) expect(left).toContain(label);
  });

  it("warn of pools that are nearly full, full or not ready, of blocks that stay closing, and of nobody who leads", () => {
    const names = rules.map(({ alert }) => alert);
    const wanted = [
      "PoolFull",
      "PoolNearlyFull",
      "PoolNotReady",
      "PoolBlocksClosing",
      "ControllerWithoutLeader",
    ];
    expect(names).toEqual(expect.arrayContaining(wanted.map((name) => `KubeNode${name}`)));
  });

  it("warn of ranges that are nearly full or full, of leaks, of stale ranges and of failures", () => {
    const names = rules.map(({ alert }) => alert);
    expect(new Set(names).size).toBe(names.length);
    const wanted = ["RangeNearlyFull", "RangeFull", "Leaking", "RangesStale", "PluginFails", "AgentDown"];
    expect(names).toEqual(expect.arrayContaining(wanted.map((name) => `KubeNode${name}`)));
  });

  it.each(parts)(
    "has panels that don't lie upon each other, and variables that its queries use",
    ({ dashboard }) => {
      const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
        Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`),
      );
      expect(new Set(cells).size).toBe(cells.length);
      expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
      const variables = dashboard.templating.list.map(({ name }) => `$${name}`);
      for (const { query } of queriesOf(dashboard))
        for (const [used] of query.matchAll(/\$\w+/g)) expect(variables).toContain(used);
      for (const { definition } of dashboard.templating.list)
        if (definition) expect(metrics.has(/\((\w+)/.exec(definition)?.[1] ?? ""), definition).toBe(true);
    },
  );

  it("are held to what is so: a metric, a label or a value that isn't there is found", () => {
    expect(metrics.has("kube_node_adresses")).toBe(false);
    expect(() => readQuery('sum(kube_node_leaks{kind="dead")')).toThrow("at character");
    expect(readQuery('sum by (a) (b{c="d|e"})')).toEqual({
      selectors: [{ metric: "b", matchers: [{ label: "c", values: ["d", "e"] }] }],
      grouping: ["a"],
    });
    expect(() => expectValue(definitions.addresses, "state", "unused")).toThrow();
  });
});

/** Where the definition lists a label's values, each in backquotes. */
function expectValue(definition: Definition | undefined, label: string, value: string): void {
  const listed = [...(definition?.labels[label] ?? "").matchAll(/`([^`]+)`/g)].map(([, text]) => text);
  if (listed.length > 0 && label !== "kind") expect(listed).toContain(value);
}
