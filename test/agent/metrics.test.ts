// The metrics' page, the definitions and what is served agree.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import { formatMetricsPage } from "../../scripts/metrics-page.ts";
import { definitions } from "../../src/agent/metric-definitions.ts";
import { countRequests, metricsIn } from "../../src/agent/metrics.ts";
import type { Definition } from "../../src/daemon/metrics.ts";
import { ApiError } from "../../src/kube/api-error.ts";
import type { Client } from "../../src/kube/client.ts";
import { checkout } from "../parts/tools.ts";

const all: Definition[] = Object.values(definitions);

describe("metrics", () => {
  it("are documented as they are defined", () => {
    expect(readFileSync(join(checkout, "docs/metrics.md"), "utf8")).toBe(formatMetricsPage());
  });

  it("are all served, by names that Prometheus' rules allow", async () => {
    const registry = new Registry();
    metricsIn(registry);
    expect(metricsIn(registry)).toBe(metricsIn(registry));
    const served = registry.getMetricsAsArray().map(({ name }) => name);
    expect(served).toEqual(all.map(({ name }) => name));
    const text = await registry.metrics();
    for (const { name, type, labels } of all) {
      expect(text).toContain(`# TYPE ${name} ${type}`);
      expect(name).toMatch(/^kube_node_[a-z_]+$/);
      expect(name.endsWith("_total")).toBe(type === "counter");
      for (const label of Object.keys(labels)) expect(label).toMatch(/^[a-z]+$/);
    }
  });

  it("count requests, and those that failed", async () => {
    const registry = new Registry();
    const refuse = async () => {
      throw new ApiError({ reason: "no", status: 403 });
    };
    const client = countRequests(registry, { get: async () => 1, patch: refuse } as unknown as Client);
    await client.get("/");
    await expect(client.patch("/", {}, "merge")).rejects.toThrow("no");
    const text = await registry.metrics();
    expect(text).toContain('kube_node_api_requests_total{verb="GET"} 1');
    expect(text).toContain('kube_node_api_errors_total{verb="PATCH",status="403"} 1');
  });
});
