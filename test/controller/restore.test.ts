// etcd is set back to a backup while the controller runs: what was given since is unknown, so nothing new is given until a person says so.
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { type Controller, startController } from "./parts/controller.ts";
import { type PoolCluster, startPoolCluster, until } from "./parts/pool-cluster.ts";

const reason = reasonForNoRealApiServer();
const lack = whatLacks(reason === undefined ? {} : { missing: reason });

describe.skipIf(lack.some)(`a restored backup of etcd${lack.words}`, () => {
  let cluster: PoolCluster;
  let controller: Controller | undefined;

  beforeAll(async () => {
    cluster = await startPoolCluster();
  }, 90_000);
  afterAll(async () => {
    controller?.kill("SIGKILL");
    await cluster?.close();
  });

  it("holds all pools, over restarts too, until they are said to be rebuilt", async () => {
    await cluster.createPool("IPPool", "a", { subnet: "10.1.0.0/24", perNodeBlockSize: 4 });
    await cluster.createNode("r1");
    const setBack = await cluster.api.backUp();
    controller = startController({ kubeconfig: cluster.kubeconfig });
    await until(() => cluster.annotation("r1", "a"), "r1 has its block");
    for (let i = 0; i < 20; i++) await cluster.createNode(`since-${i}`);
    await until(() => cluster.annotation("since-19", "a"), "all have a block");
    await setBack();
    await controller.said("etcd was set back", 60_000);
    const condition = await until(async () => {
      const one = await cluster.condition("IPPool", "a");
      return one?.reason === "NotRebuilt" ? one : undefined;
    }, "the pool is held");
    expect(condition.message).toContain("kubectl kube-node rebuild");
    await cluster.createNode("r2");
    controller.kill("SIGKILL");
    controller = startController({ kubeconfig: cluster.kubeconfig });
    await controller.said("everything is listed");
    await sleep(1000);
    expect(await cluster.annotation("r2", "a")).toBeUndefined();
    expect(await cluster.blocks()).toEqual([]);
    const at = /rebuilt=(\S+);/.exec(condition.message)?.[1];
    await cluster.patchPool("IPPool", "a", {
      metadata: { annotations: { "ipam.kube-node.io/rebuilt": at } },
    });
    await until(() => cluster.annotation("r2", "a"), "r2 has its block");
    await until(async () => (await cluster.condition("IPPool", "a"))?.status === "True", "the pool is ready");
    expect((await cluster.pool("IPPool", "a"))?.status?.conditions?.map(({ type }) => type)).toEqual([
      "Ready",
    ]);
  }, 120_000);
});
