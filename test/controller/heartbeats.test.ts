// What doesn't concern a pool costs no look at a Node. On the real API server.
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { type Controller, startController } from "./parts/controller.ts";
import { type PoolCluster, startPoolCluster, until } from "./parts/pool-cluster.ts";

const reason = reasonForNoRealApiServer();
const lack = whatLacks(reason === undefined ? {} : { missing: reason });

describe.skipIf(lack.some)(`heartbeats${lack.words}`, () => {
  let cluster: PoolCluster;
  let controller: Controller;

  beforeAll(async () => {
    cluster = await startPoolCluster();
    await cluster.createPool("IPPool", "first", { subnet: "10.1.0.0/24", perNodeBlockSize: 8 });
    await cluster.createNode("n1");
    controller = startController({ kubeconfig: cluster.kubeconfig });
  }, 90_000);
  afterAll(async () => {
    controller?.kill("SIGKILL");
    await cluster?.close();
  });

  it("looks at no Node for its heartbeat, nor for an annotation that isn't ours", async () => {
    const count = () => controller.metric("kube_node_controller_reconcile_seconds_count", "node");
    const requests = () => controller.metric("kube_node_controller_api_requests_total");
    const errors = () => controller.metric("kube_node_controller_reconcile_failures_total");
    await until(() => cluster.annotation("n1", "first"), "n1 has its block");
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
