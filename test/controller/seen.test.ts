// What is seen of pools: metrics by pool, events, probes. On the real API server.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { definitions } from "../../src/controller/metric-definitions.ts";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { type Controller, startController } from "./parts/controller.ts";
import { type PoolCluster, startPoolCluster, until } from "./parts/pool-cluster.ts";

const reason = reasonForNoRealApiServer();
const lack = whatLacks(reason === undefined ? {} : { missing: reason });

type Event = { reason: string; type: string; note: string; regarding: { kind: string; name: string } };

describe.skipIf(lack.some)(`what is seen of pools${lack.words}`, () => {
  let cluster: PoolCluster;
  let controller: Controller;

  beforeAll(async () => {
    cluster = await startPoolCluster();
    for (const node of ["n1", "n2", "n3"]) await cluster.createNode(node);
    await cluster.createPool("IPPool", "flat", {
      ...{ subnet: "10.1.0.0/24", perNodeBlockSize: 16, gateway: "10.1.0.1" },
      exclusions: [{ startIP: "10.1.0.4", endIP: "10.1.0.5" }],
    });
    await cluster.createPool("CIDRPool", "cut", {
      ...{ cidr: "fd00:1::/63", perNodeNetworkPrefix: 64, gatewayIndex: 1 },
    });
    controller = startController({ kubeconfig: cluster.kubeconfig });
    await until(
      async () => (await cluster.condition("IPPool", "flat"))?.status === "True",
      "all have a block",
    );
  }, 90_000);
  afterAll(async () => {
    controller?.kill("SIGKILL");
    await cluster?.close();
  });

  const sample = (name: string, kind: string, pool: string, state: string) =>
    controller.metric(name, `kind="${kind}",pool="${pool}",state="${state}"`);
  const reaches = (ask: () => Promise<number>, wanted: number, what: string) =>
    until(async () => (await ask()) === wanted, `${what} is ${wanted}`);
  const events = (why: string) =>
    until(async () => {
      const path = "/apis/events.k8s.io/v1/namespaces/default/events";
      const all = await cluster.client.list(path, (item) => item as Event);
      return all.find((one) => one.reason === why);
    }, `there is an event ${why}`);

  it("counts blocks and addresses by pool: total, given, used, closing, free", async () => {
    const blocks = (state: string) => () => sample("kube_node_pool_blocks", "IPPool", "flat", state);
    const addresses = (state: string) => () => sample("kube_node_pool_addresses", "IPPool", "flat", state);
    await reaches(blocks("total"), 15, "blocks in all");
    await reaches(blocks("given"), 3, "given ones");
    await reaches(blocks("free"), 12, "free ones");
    // Of 48 the gateway and two that are excluded are no pod's.
    await reaches(addresses("total"), 45, "addresses in all");
    await reaches(addresses("used"), 0, "used ones");
    await cluster.setBlockStatus("ippool.flat.1", { used: 7 });
    await cluster.setBlockStatus("ippool.flat.2", { used: 4 });
    await reaches(addresses("used"), 11, "used ones");
    await reaches(addresses("free"), 34, "free ones");
    const status = await until(async () => {
      const found = (await cluster.pool("IPPool", "flat"))?.status;
      return found?.addresses?.used === 11 ? found : undefined;
    }, "its status says so, too");
    expect(status).toMatchObject({
      blocks: { total: "15", given: 3, closing: 0, free: "12" },
      addresses: { total: "45", used: 11, free: "34" },
    });
    await cluster.client.patch(
      "/apis/ipam.kube-node.io/v1alpha1/nodeblocks/ippool.flat.2",
      { spec: { closing: true } },
      "merge",
    );
    await reaches(blocks("closing"), 1, "closing ones");
  });

  it("says for how many Nodes there is no block, and whether a pool is ready and why not", async () => {
    await reaches(
      () => controller.metric("kube_node_pool_unplaced_nodes", 'pool="cut"'),
      1,
      "Nodes without one",
    );
    const { text } = await controller.get("/metrics");
    expect(text).toContain('kube_node_pool_ready{kind="CIDRPool",pool="cut",reason="NoFreePrefixes"} 0');
    expect(text).toMatch(/kube_node_pool_ready\{kind="IPPool",pool="flat",reason="Valid"\} 1/);
  });

  it("has every metric that the document lists, by its labels", async () => {
    const { text } = await controller.get("/metrics");
    const isServed = (name: string) => /served_group|doubtful/.test(name);
    for (const { name, type, labels } of Object.values(definitions)) {
      if (isServed(name)) continue;
      expect(text, name).toContain(`# TYPE ${name} ${type}\n`);
      const samples = text
        .split("\n")
        .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name}_bucket{`));
      for (const label of Object.keys(labels))
        for (const line of samples) expect(line).toContain(`${label}="`);
    }
    for (const what of ["node", "pool"])
      expect(
        await controller.metric("kube_node_controller_reconcile_seconds_count", `what="${what}"`),
      ).toBeGreaterThan(0);
    expect(await controller.metric("kube_node_controller_leader")).toBe(1);
    expect(await controller.metric("kube_node_controller_nodes")).toBe(3);
    expect(
      await controller.metric("kube_node_controller_api_requests_total", 'verb="WATCH"'),
    ).toBeGreaterThan(3);
  });

  it("tells of a full CIDRPool, an overlap and an invalid spec by events, once each however often it looks", async () => {
    await cluster.createPool("IPPool", "second", { subnet: "10.1.0.128/25", perNodeBlockSize: 8 });
    await cluster.createPool("IPPool", "typo", {
      ...{ subnet: "10.3.0.0/24", perNodeBlockSize: 8 },
      exclusions: [{ startIP: "10.3.0.9", endIP: "10.3.0.1" }],
    });
    expect(await events("NoFreePrefixes")).toMatchObject({
      ...{ type: "Warning", regarding: { kind: "CIDRPool", name: "cut" } },
      note: expect.stringContaining("1 Nodes got no block"),
    });
    const overlap = await events("Overlap");
    expect(overlap).toMatchObject({ type: "Warning", regarding: { kind: "IPPool", name: "second" } });
    expect(overlap.note).toMatch(/of IPPool second are also of IPPool flat/);
    expect(await events("InvalidSpec")).toMatchObject({
      ...{ type: "Warning", regarding: { kind: "IPPool", name: "typo" } },
      note: expect.stringContaining("the end comes before the start"),
    });
    const sent = () => controller.metric("kube_node_controller_events_total", 'result="sent"');
    await until(async () => (await sent()) >= 3, "they are counted");
    const before = await sent();
    for (let i = 0; i < 5; i++) await cluster.patchNode("n1", { labels: { beat: String(i) } });
    await until(
      async () => (await controller.metric("kube_node_controller_queue_length")) === 0,
      "it is idle",
    );
    expect(await sent()).toBe(before);
    expect(await controller.metric("kube_node_controller_events_total", 'result="failed"')).toBe(0);
  });

  it("answers probes", async () => {
    expect((await controller.get("/healthz")).status).toBe(200);
    const ready = await controller.get("/readyz");
    expect(ready.status).toBe(200);
    for (const part of ["server", "events", "leader", "watches", "overlaps", "work"])
      expect(ready.text).toContain(`[+] ${part}: `);
  });
});
