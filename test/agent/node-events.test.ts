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

  const path = "/apis/events.k8s.io/v1/namespaces/default/events";
  type Item = {
    metadata: { name: string };
    reason: string;
    note: string;
    regarding: { name: string };
    series?: { count: number };
  };

  /** What tells of a Node of that name; `list` gives the events that are about it. */
  async function makeTeller(nodeName: string, clock: () => number, connect = async () => client.connection) {
    const node = await server.createNode({ name: nodeName });
    const facts = { name: nodeName, uid: node.metadata.uid, machineID: "", podCIDRs: [], annotations: {} };
    const said: string[] = [];
    const write = (message: string) => void said.push(message);
    const log: Log = { trace: write, debug: write, info: write, warn: write, error: write };
    const context = {
      config: { nodeName },
      log,
      connect,
      metrics: new Registry(),
      signal: new AbortController().signal,
    } as unknown as AgentContext;
    const all = () => client.list(path, (item) => item as Item);
    const list = async () => (await all()).filter(({ regarding }) => regarding.name === nodeName);
    return { events: makeNodeEvents(context, clock), facts, list, said };
  }

  it("are made once, count on in the same event, and are made anew where they have run out", async () => {
    let now = 0;
    const { events, facts, list, said } = await makeTeller("node-1", () => now);

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

  it("are twelve an hour at most, and one a thing: what was held back comes after the hour, if it is still so", async () => {
    let now = 0;
    const { events, facts, list, said } = await makeTeller("node-2", () => now);
    const keys = Array.from({ length: 15 }, (_, index) => `net${index + 1} 10.1.0.0/24`);
    const look = (some: string[]) =>
      events.tell(
        some.map((key) => condition(key)),
        facts,
      );
    for (let minute = 0; minute < 59; minute++, now += 60_000) await look(keys);
    expect((await list()).map(({ note }) => note).sort()).toEqual(
      keys
        .slice(0, 12)
        .map((key) => `${key} is so`)
        .sort(),
    );
    now += 60_000;
    await look(keys.slice(12, 14));
    const after = await list();
    expect(after).toHaveLength(14);
    expect(after.map(({ note }) => note)).not.toContain(`${keys[14]} is so`);
    expect(said).toHaveLength(15); // The log has each as soon as it is so.
    // What comes and goes is another each time, and held all the same.
    for (let turn = 0; turn < 20; turn++, now += 60_000) {
      await look([]);
      await look(keys.slice(0, 3));
    }
    expect((await list()).length).toBeLessThanOrEqual(14 + 10);
  });

  it("that can't be sent are tried again after pauses that grow, not at every look, and are sent once it works", async () => {
    let now = 0;
    let tries = 0;
    let isOut = true;
    const { events, facts, list } = await makeTeller(
      "node-3",
      () => now,
      async () => {
        tries++;
        if (isOut) throw new Error("the API server is out of reach");
        return client.connection;
      },
    );
    const look = () => events.tell([condition("net1 10.1.0.0/24")], facts);
    for (let minute = 0; minute < 60; minute++, now += 60_000) await look();
    expect(tries).toBeGreaterThanOrEqual(4); // At first, then after 5, 10 and 20 minutes at most; 40 are over at 75.
    expect(tries).toBeLessThanOrEqual(6);
    isOut = false;
    for (let minute = 0; minute < 60 && (await list()).length === 0; minute++, now += 60_000) await look();
    const [sent, ...more] = await list();
    expect([sent?.note, more]).toEqual(["net1 10.1.0.0/24 is so", []]);
    const before = tries;
    for (let minute = 0; minute < 55; minute++, now += 60_000) await look();
    expect(tries).toBe(before);
  });
});
