// Pools that overlap give nothing new, and say with whom; what doesn't concern a pool costs no look. On the real API server.
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { type Controller, startController } from "./parts/controller.ts";
import { type PoolCluster, startPoolCluster, until } from "./parts/pool-cluster.ts";

const reason = reasonForNoRealApiServer();
const lack = whatLacks(reason === undefined ? {} : { missing: reason });

describe.skipIf(lack.some)(`pools beside others${lack.words}`, () => {
  let cluster: PoolCluster;
  let controller: Controller;

  beforeAll(async () => {
    cluster = await startPoolCluster();
    await cluster.api.createNode({
      name: "n1",
      podCIDRs: ["10.40.1.0/24"],
      annotations: { "example.org/ranges": "10.50.0.0/24" },
    });
    controller = startController({ kubeconfig: cluster.kubeconfig });
  }, 90_000);
  afterAll(async () => {
    controller?.kill("SIGKILL");
    await cluster?.close();
  });

  const overlap = (name: string) =>
    until(async () => {
      const one = await cluster.condition("IPPool", name);
      return one?.reason === "Overlap" ? one.message : undefined;
    }, `${name} overlaps`);
  const pool = (name: string, subnet: string, more: object = {}) =>
    cluster.createPool("IPPool", name, { subnet, perNodeBlockSize: 8, ...more });

  it("says who came first, gives nothing of the second, and gives once that is mended", async () => {
    await pool("first", "10.1.0.0/24");
    await until(() => cluster.annotation("n1", "first"), "the first one gives");
    await pool("second", "10.1.0.128/25");
    expect(await overlap("second")).toContain("IPPool first");
    expect(await cluster.annotation("n1", "second")).toBeUndefined();
    expect((await cluster.condition("IPPool", "first"))?.status).toBe("True");
    await cluster.patchPool("IPPool", "second", { spec: { allowOverlap: true } });
    await until(() => cluster.annotation("n1", "second"), "it gives, as somebody insists");
  });

  it("knows podCIDRs, Services and annotations that people wrote", async () => {
    await pool("pods", "10.40.0.0/16");
    expect(await overlap("pods")).toContain("podCIDRs of n1");
    await pool("people", "10.50.0.0/23");
    expect(await overlap("people")).toContain("annotation example.org/ranges of n1");
    await pool("services", "10.96.0.0/24");
    expect(await overlap("services")).toContain("Services");
    await cluster.patchNode("n1", { annotations: { "example.org/ranges": null } });
    await until(() => cluster.annotation("n1", "people"), "it gives once the annotation is gone");
  });

  it("looks at no Node for its heartbeat, nor for an annotation that isn't ours", async () => {
    const count = () => controller.metric("kube_node_controller_reconcile_seconds_count", "node");
    const requests = () => controller.metric("kube_node_controller_api_requests_total");
    const errors = () => controller.metric("kube_node_controller_reconcile_failures_total");
    await until(
      async () => (await controller.metric("kube_node_controller_queue_length")) === 0,
      "it is idle",
    );
    await sleep(1500);
    const [before, asked] = [await count(), await requests()];
    for (let i = 0; i < 20; i++) {
      const conditions = [
        {
          type: "Ready",
          status: "True",
          reason: `beat-${i}`,
          message: "",
          lastHeartbeatTime: new Date().toISOString(),
        },
      ];
      await cluster.client.patch("/api/v1/nodes/n1/status", { status: { conditions } }, "merge");
      await cluster.patchNode("n1", { annotations: { "example.org/other": String(i) } });
    }
    await cluster.createNode("n2");
    await until(() => cluster.annotation("n2", "first"), "the watch is as far as that");
    expect((await count()) - before).toBeLessThan(8); // Those of n2.
    expect((await requests()) - asked).toBeLessThan(16);
    expect(await errors()).toBeLessThan(10);
  });
});
