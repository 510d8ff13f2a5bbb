// etcd is set back to a backup while the controller runs: what was given since is unknown, so nothing new is given until a person says so.
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { heldBlocksKey } from "../../src/api/held-blocks.ts";
import { setBackTime } from "../../src/api/set-back.ts";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { type Controller, startController } from "./parts/controller.ts";
import { type PoolCluster, startPoolCluster, until } from "./parts/pool-cluster.ts";
import { runRebuild } from "./parts/run-rebuild.ts";

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
    const at = /rebuilt=(\S+) or later;/.exec(condition.message)?.[1];
    await cluster.patchPool("IPPool", "a", {
      metadata: { annotations: { "ipam.kube-node.io/rebuilt": at } },
    });
    await until(() => cluster.annotation("r2", "a"), "r2 has its block");
    await until(async () => (await cluster.condition("IPPool", "a"))?.status === "True", "the pool is ready");
    expect((await cluster.pool("IPPool", "a"))?.status?.conditions?.map(({ type }) => type)).toEqual([
      "Ready",
    ]);
  }, 120_000);

  it("kubectl kube-node rebuild makes the blocks again that agents hold, and the pools give again: never one of those", async () => {
    controller ??= startController({ kubeconfig: cluster.kubeconfig });
    await cluster.createPool("IPPool", "b", { subnet: "10.2.0.0/24", perNodeBlockSize: 4 });
    await cluster.createPool("CIDRPool", "c", { cidr: "10.3.0.0/16", perNodeNetworkPrefix: 24 });
    await cluster.createNode("k1");
    await until(() => cluster.annotation("k1", "b"), "k1 has its block");
    const setBack = await cluster.api.backUp();
    await cluster.createNode("k3");
    const given = await until(
      () => cluster.annotation("k3", "b"),
      "k3 has its block, after an outage",
      60_000,
    );
    for (let i = 0; i < 20; i++) await cluster.createNode(`more-${i}`);
    await until(() => cluster.annotation("more-19", "b"), "all have a block");
    await setBack();
    await cluster.createNode("k3");
    const [block] = given.blocks;
    const [first, last] = block?.ranges[0]?.split("-") ?? [];
    const held = { name: block?.name, subnet: block?.subnet, first, last, used: 1, nodeUID: given.nodeUID };
    await cluster.patchNode("k3", { annotations: { [heldBlocksKey]: JSON.stringify([held]) } });
    await until(async () => (await setBackPools()).length === 2, "both pools are held", 60_000);
    await cluster.createNode("k4");

    const dry = await rebuild("--dry-run=client");
    expect(dry).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(String(block?.name)) });
    expect(dry.stderr).toContain("ippool/b, cidrpool/c until then");
    expect(await setBackPools()).toEqual(["b", "c"]);
    expect(await cluster.annotation("k4", "b")).toBeUndefined();
    expect(await rebuild("--yes", "-o", "name")).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^nodeblock\/ippool\.b\.\d+\n(ippool\/a\n)?ippool\/b\ncidrpool\/c$/),
    });
    const anew = await until(() => cluster.annotation("k4", "b"), "k4 has its block");
    expect(anew.blocks.map(({ name }) => name)).not.toContain(block?.name);
    expect((await cluster.block(String(block?.name)))?.spec).toMatchObject({ nodeName: "k3", first });
    await until(async () => (await setBackPools()).length === 0, "both pools are ready");
    expect((await cluster.condition("IPPool", "b"))?.reason).toBe("Valid");
    await until(() => cluster.annotation("k4", "c", "CIDRPool"), "k4 has its network");
    expect(await rebuild("b", "--yes")).toMatchObject({ exitCode: 0, stdout: "" });
  }, 180_000);

  async function setBackPools(): Promise<string[]> {
    const pools = await Promise.all([cluster.pool("IPPool", "b"), cluster.pool("CIDRPool", "c")]);
    return pools.flatMap((pool) =>
      pool && setBackTime(pool.status ?? {}) !== undefined ? [pool.metadata.name] : [],
    );
  }

  const rebuild = (...words: string[]) => runRebuild(cluster.kubeconfig, ...words);
});
