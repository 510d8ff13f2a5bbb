// etcd is set back while nv-ipam's pools are served: they wait as ours do, over restarts too, and `rebuild` brings back what agents hold.
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { heldBlocksKey } from "../../src/api/held-blocks.ts";
import { servedLabel } from "../../src/api/nv-ipam.ts";
import { createNvIpamPool, installNvIpamResources, nvIpamPath } from "../parts/nv-ipam-resources.ts";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { type Controller, startController } from "./parts/controller.ts";
import { type PoolCluster, startPoolCluster, until } from "./parts/pool-cluster.ts";
import { runRebuild } from "./parts/run-rebuild.ts";
import type { NvObject } from "./parts/worked-examples.ts";

const reason = reasonForNoRealApiServer();
const lack = whatLacks(reason === undefined ? {} : { missing: reason });
const setBackKey = "ipam.kube-node.io/set-back";
let cluster: PoolCluster;
let controller: Controller | undefined;

beforeAll(async () => {
  if (lack.some) return;
  cluster = await startPoolCluster();
  await installNvIpamResources(cluster.client);
}, 90_000);
afterAll(async () => {
  controller?.kill("SIGKILL");
  await cluster?.close();
});

const start = () =>
  startController({
    kubeconfig: cluster.kubeconfig,
    args: ["--serve-group=nv-ipam.nvidia.com", "--lease-duration=2s"],
  });
const at = () => cluster.client.get<NvObject>(nvIpamPath("IPPool", "a"));
const allocatedTo = async () => ((await at()).status?.allocations ?? []).map(({ nodeName }) => nodeName);

const rebuild = (...words: string[]) => runRebuild(cluster.kubeconfig, ...words);

it.skipIf(lack.some)(
  `nothing new is given of them until they are rebuilt, and then none of what agents hold${lack.words}`,
  async () => {
    const spec = { subnet: "10.1.0.0/24", perNodeBlockSize: 4, gateway: "10.1.0.1" };
    await createNvIpamPool(cluster.client, "IPPool", "a", spec);
    await cluster.createNode("r1");
    controller = start();
    await until(() => cluster.annotation("r1", "a"), "r1 has its block");
    const setBack = await cluster.api.backUp();
    await cluster.createNode("r2");
    const given = await until(() => cluster.annotation("r2", "a"), "r2 has its block", 60_000);
    for (let i = 0; i < 20; i++) await cluster.createNode(`since-${i}`);
    await until(() => cluster.annotation("since-19", "a"), "all have a block");
    await setBack();
    await controller.said("etcd was set back", 60_000);
    await until(async () => (await at()).metadata.annotations?.[setBackKey] !== undefined, "it is noted");

    // Its kubelet registers again, and its agent tells of what it has.
    const [block] = given.blocks;
    const [first, last] = block?.ranges[0]?.split("-") ?? [];
    const held = { name: block?.name, subnet: block?.subnet, first, last, used: 1, nodeUID: given.nodeUID };
    await cluster.createNode("r2");
    await cluster.patchNode("r2", { annotations: { [heldBlocksKey]: JSON.stringify([held]) } });
    await cluster.createNode("r3");
    controller.kill("SIGKILL");
    controller = start();
    await controller.said("its pools are served");
    await sleep(1000);
    expect(await cluster.annotation("r3", "a")).toBeUndefined();
    expect(await allocatedTo()).toEqual(["r1"]);

    const dry = await rebuild("--dry-run=client");
    expect(dry).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(String(block?.name)) });
    expect(dry.stderr).toContain("nothing is given of ippool/a until then");
    const made = await rebuild("--yes", "-o", "name");
    expect(made).toMatchObject({ exitCode: 0, stdout: `nodeblock/${block?.name}\nippool/a` });
    const third = await until(() => cluster.annotation("r3", "a"), "r3 has its block");
    expect(third.blocks.map(({ name }) => name)).not.toContain(block?.name);
    const again = await cluster.block(String(block?.name));
    expect(again).toMatchObject({
      metadata: { labels: { [servedLabel]: "nv-ipam.nvidia.com" } },
      spec: { nodeName: "r2", first },
    });
    // Of its Node that was there before: the new one has another block beside it, until its agent says that it is free.
    const isTold = async () =>
      ((await at()).status?.allocations ?? []).some(
        ({ nodeName, startIP }) => nodeName === "r2" && startIP === again?.spec.first,
      );
    await until(isTold, "nv-ipam's readers see the block that came back");
    await until(async () => new Set(await allocatedTo()).size === 3, "and all three Nodes");
    await until(async () => (await at()).metadata.annotations?.[setBackKey] === undefined, "it is over");
  },
  180_000,
);
