// Events on the Node: a series a thing, told again after an hour, never more than the rate allows.
import fc from "fast-check";
import { Registry } from "prom-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Condition, conditionsOf } from "../../src/agent/conditions.ts";
import type { AgentContext } from "../../src/agent/context.ts";
import { makeNodeEvents } from "../../src/agent/node-events.ts";
import { type AllSeries, plan, rate } from "../../src/daemon/event-series.ts";
import type { Log } from "../../src/host/log.ts";
import type { Client } from "../../src/kube/client.ts";
import { adminClient } from "../parts/admin-client.ts";
import type { ApiServer } from "../parts/api-server.ts";
import { createNamespace } from "../parts/cluster-objects.ts";
import { reasonForNoRealApiServer, startRealApiServer } from "../parts/real-api-server.ts";
import { whatLacks } from "../parts/tools.ts";

const noServer = reasonForNoRealApiServer();
const lack = whatLacks(noServer === undefined ? {} : { missing: noServer });
const condition = (key: string, reason: Condition["reason"] = "RangeFull"): Condition => ({
  reason,
  key,
  note: `${key} is so`,
});
const hour = 60 * 60_000;

describe("a plan of events", () => {
  it("never says more than the rate allows, nor one thing twice within an hour; what goes on is told in the end", () => {
    const things = fc.array(
      fc.constantFrom("a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o"),
    );
    const looks = fc.array(fc.record({ pause: fc.integer({ min: 1000, max: hour }), things }), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(looks, (all) => {
        let series: AllSeries = new Map();
        let now = 0;
        const told: { key: string; at: number; began: number }[] = [];
        for (const { pause, things } of all) {
          now += pause;
          const planned = plan(
            series,
            [...new Set(things)].map((key) => condition(key)),
            told.map(({ at }) => at),
            now,
          );
          for (const one of planned.due) {
            told.push({ key: one.condition.key, at: now, began: one.began });
            one.toldAt = now;
          }
          series = planned.series;
          expect(told.filter(({ at }) => now - at < hour).length).toBeLessThanOrEqual(rate.anHour);
          if (planned.held === 0)
            for (const one of series.values())
              expect(now - (one.toldAt ?? Number.NEGATIVE_INFINITY)).toBeLessThan(rate.between);
        }
        for (const one of told) {
          const again = told.filter(
            ({ key, began, at }) =>
              key === one.key && began === one.began && Math.abs(at - one.at) < rate.between,
          );
          expect(again).toHaveLength(1);
        }
      }),
    );
  });
});

describe("conditions of ranges", () => {
  const usage = (used: bigint, size = 100n) => ({
    network: "net1",
    dataDir: "/d",
    source: "spec.podCIDRs",
    from: "node" as const,
    uses: [{ range: { subnet: "10.1.0.0/25" }, size, used, free: size - used }],
  });
  it.each([
    [89n, false, []],
    [90n, false, ["RangeNearlyFull"]],
    [86n, true, ["RangeNearlyFull"]],
    [84n, true, []],
    [100n, true, ["RangeFull"]],
  ])("at %d %% used (told before: %s) are %j", (used, before, reasons) => {
    const keys = new Set(before ? ["net1 10.1.0.0/25"] : []);
    expect(conditionsOf([usage(used)], keys).map(({ reason }) => reason)).toEqual(reasons);
  });
});

describe.skipIf(lack.some)(`events on a real API server${lack.words}`, () => {
  let server: ApiServer;
  let client: Client;
  beforeAll(async () => {
    server = await startRealApiServer();
    client = await adminClient(server);
    await createNamespace(client, "default");
  }, 90_000);
  afterAll(async () => {
    client?.close();
    await server?.close();
  });

  it("are made once, count on in the same event, and are made anew where they have run out", async () => {
    const node = await server.createNode({ name: "node-1" });
    const facts = { name: "node-1", uid: node.metadata.uid, machineID: "", podCIDRs: [], annotations: {} };
    let now = 0;
    const said: string[] = [];
    const write = (message: string) => void said.push(message);
    const log: Log = { trace: write, debug: write, info: write, warn: write, error: write };
    const context = {
      config: { nodeName: "node-1" },
      log,
      connect: async () => client.connection,
      metrics: new Registry(),
      signal: new AbortController().signal,
    } as unknown as AgentContext;
    const events = makeNodeEvents(context, () => now);
    const path = "/apis/events.k8s.io/v1/namespaces/default/events";
    type Item = { metadata: { name: string }; reason: string; series?: { count: number } };
    const list = () => client.list(path, (item) => item as Item);

    await events.tell([condition("net1 10.1.0.0/24")], facts);
    const [first] = await list();
    expect(first).toMatchObject({ reason: "RangeFull", regarding: { kind: "Node", uid: facts.uid } });
    for (let i = 0; i < 5; i++) await events.tell([condition("net1 10.1.0.0/24")], facts);
    expect(await list()).toEqual([first]);
    now += hour;
    await events.tell([condition("net1 10.1.0.0/24")], facts);
    expect(await list()).toMatchObject([{ metadata: { name: first?.metadata.name }, series: { count: 7 } }]);
    await client.remove(`${path}/${first?.metadata.name}`);
    now += hour;
    await events.tell([condition("net1 10.1.0.0/24")], facts);
    expect((await list()).map(({ metadata }) => metadata.name)).not.toContain(first?.metadata.name);
    expect(await list()).toHaveLength(1);
    expect(said).toEqual(["a range is full"]);
  });
});
