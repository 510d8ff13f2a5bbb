// What nv-ipam's pools record is taken over whole or not at all; each doubt is said; and nothing is done while its controller leads.
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { poolGridKey, servedLabel } from "../../src/api/nv-ipam.ts";
import type { PoolKind } from "../../src/api/pool-kind.ts";
import {
  createNvIpamPool,
  holdNvIpamLease,
  installNvIpamResources,
  nvIpamPath,
  writeNvIpamStatus,
} from "../parts/nv-ipam-resources.ts";
import { poolPath } from "../parts/pool-resources.ts";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { type Controller, startController } from "./parts/controller.ts";
import { type PoolCluster, startPoolCluster, until } from "./parts/pool-cluster.ts";
import type { NvAllocation, NvObject } from "./parts/worked-examples.ts";

const reason = reasonForNoRealApiServer();
const lack = whatLacks(reason === undefined ? {} : { missing: reason });
const serve = ["--serve-group=nv-ipam.nvidia.com", "--lease-duration=2s", "--serve-lease-namespaces=default"];

describe.skipIf(lack.some)(`moving in from nv-ipam${lack.words}`, () => {
  let cluster: PoolCluster;
  let controller: Controller | undefined;
  let subnets = 0;

  beforeAll(async () => {
    cluster = await startPoolCluster();
    await installNvIpamResources(cluster.client);
    for (const name of ["n1", "n2", "n3"]) await cluster.createNode(name);
  }, 90_000);
  afterAll(async () => await cluster?.close());
  afterEach(() => {
    controller?.kill("SIGKILL");
  });

  function start(...args: string[]): Controller {
    controller?.kill("SIGKILL");
    controller = startController({ kubeconfig: cluster.kubeconfig, args: [...serve, ...args] });
    return controller;
  }

  const at = (kind: PoolKind, name: string) => cluster.client.get<NvObject>(nvIpamPath(kind, name));
  const allocationsOf = async (kind: PoolKind, name: string) =>
    (await at(kind, name)).status?.allocations ?? [];
  const blocksOf = async (kind: PoolKind, name: string) =>
    (await cluster.blocks()).filter(({ spec }) => spec.pool.kind === kind && spec.pool.name === name);
  const indexesOf = async (kind: PoolKind, name: string) =>
    Object.fromEntries((await blocksOf(kind, name)).map(({ spec }) => [spec.nodeName, spec.index]));

  /** A /24 of its own, in blocks of ten; `a-b` of nodes. */
  function nextPool() {
    const net = `10.100.${subnets++}`;
    return {
      name: `p${subnets}`,
      spec: { subnet: `${net}.0/24`, perNodeBlockSize: 10, gateway: `${net}.1` },
      says: (nodeName: string, first: number, last: number): NvAllocation => ({
        nodeName,
        startIP: `${net}.${first}`,
        endIP: `${net}.${last}`,
      }),
    };
  }

  async function whole(kind: PoolKind, name: string, count: number): Promise<NvAllocation[]> {
    return await until(async () => {
      const all = await allocationsOf(kind, name);
      return all.length === count && all;
    }, `${name} has ${count} allocations`);
  }

  it("keeps what is recorded, gives the others what is left, and says so in nv-ipam's order", async () => {
    const { name, spec, says } = nextPool();
    await createNvIpamPool(cluster.client, "IPPool", name, spec, [says("n3", 1, 10), says("n1", 31, 40)]);
    const said = start();
    expect(await whole("IPPool", name, 3)).toEqual([
      says("n1", 31, 40),
      says("n2", 11, 20),
      says("n3", 1, 10),
    ]);
    expect(await indexesOf("IPPool", name)).toEqual({ n1: "3", n2: "1", n3: "0" });
    const { metadata } = await at("IPPool", name);
    expect(JSON.parse(metadata.annotations?.[poolGridKey] ?? "")).toEqual({
      first: spec.gateway,
      size: "10",
    });
    expect(metadata.finalizers).toContain("ipam.kube-node.io/blocks");
    expect((await cluster.annotation("n1", name))?.blocks[0]?.name).toBe(`ippool.${name}.3`);
    await until(async () => (await said.metric("kube_node_controller_queue_length")) === 0, "it is idle");
    const version = (await at("IPPool", name)).metadata.resourceVersion;
    await start().said("its pools are served");
    await until(
      async () => (await controller?.metric("kube_node_controller_queue_length")) === 0,
      "it is idle",
    );
    expect((await at("IPPool", name)).metadata.resourceVersion).toBe(version);
  });

  it("keeps a gone Node's block, and one that a selector leaves out, until they are free", async () => {
    const { name, spec, says } = nextPool();
    await createNvIpamPool(cluster.client, "IPPool", name, spec, [says("gone", 1, 10)]);
    start();
    expect(await whole("IPPool", name, 4)).toEqual([
      says("gone", 1, 10),
      says("n1", 11, 20),
      says("n2", 21, 30),
      says("n3", 31, 40),
    ]);
    const gone = (await blocksOf("IPPool", name)).find(({ spec: { nodeName } }) => nodeName === "gone");
    await until(
      async () => (await cluster.block(gone?.metadata.name ?? ""))?.status?.nodeGoneAt !== undefined,
      "its going is noted",
    );
    const nodeSelector = {
      nodeSelectorTerms: ["n1", "n2"].map((one) => ({
        matchFields: [{ key: "metadata.name", operator: "In", values: [one] }],
      })),
    };
    await cluster.client.patch(nvIpamPath("IPPool", name), { spec: { nodeSelector } }, "merge");
    await until(async () => (await cluster.block(`ippool.${name}.3`))?.spec.closing, "n3's is closing");
    expect(await allocationsOf("IPPool", name)).toHaveLength(4);
    await cluster.setBlockStatus(`ippool.${name}.3`, { drained: true });
    expect((await whole("IPPool", name, 3)).map(({ nodeName }) => nodeName)).toEqual(["gone", "n1", "n2"]);
  });

  const doubts: [string, (says: ReturnType<typeof nextPool>["says"]) => unknown[], string][] = [
    [
      "worked example 5: two Nodes on one block",
      (says) => [says("n1", 1, 10), says("n2", 1, 10)],
      "n1 and n2",
    ],
    ["two blocks of one Node", (says) => [says("n1", 1, 10), says("n1", 11, 20)], "n1 has"],
    ["off the grid", (says) => [says("n1", 2, 11)], "off the pool's grid"],
    ["blocks that overlap", (says) => [says("n1", 1, 10), says("n2", 1, 20)], "has 20 addresses"],
    ["beyond the last block", (says) => [says("n1", 251, 254)], "has 4 addresses"],
    ["not of the subnet", () => [{ nodeName: "n1", startIP: "10.1.1.1", endIP: "10.1.1.10" }], "outside"],
    ["another family", () => [{ nodeName: "n1", startIP: "fd00::1", endIP: "fd00::a" }], "outside"],
    ["no addresses", () => [{ nodeName: "n1", startIP: "here", endIP: "there" }], "can't be read"],
    ["no Node", (says) => [says("", 1, 10)], "names no Node"],
  ];

  it.each(doubts)(
    "takes nothing over, gives nothing and writes nothing on doubt: %s",
    async (_, make, words) => {
      const { name, spec, says } = nextPool();
      const recorded = [says("n3", 41, 50), ...make(says)] as { nodeName: string }[];
      await createNvIpamPool(cluster.client, "IPPool", name, spec, recorded);
      const other = nextPool();
      await createNvIpamPool(cluster.client, "IPPool", other.name, other.spec);
      const one = start();
      expect((await one.said("an allocation is in doubt")).reason).toContain(words);
      await whole("IPPool", other.name, 3);
      await until(
        async () => (await one.metric("kube_node_pool_ready", `reason="DoubtfulAllocations"`)) === 0,
        "it is said",
      );
      expect(await one.metric("kube_node_pool_doubtful_allocations", `pool="${name}"`)).toBeGreaterThan(0);
      expect(await blocksOf("IPPool", name)).toEqual([]);
      expect(await allocationsOf("IPPool", name)).toEqual(recorded);
      await until(async () => {
        const events = await cluster.client.list<{
          note: string;
          reason: string;
          regarding: { name: string };
        }>("/apis/events.k8s.io/v1/namespaces/kube-system/events", (item) => item as never);
        return events.some(
          ({ reason: why, note, regarding }) =>
            why === "DoubtfulAllocations" && regarding.name === name && note.includes(words),
        );
      }, "an event says so");
      // Put right, it is taken over.
      await writeNvIpamStatus(cluster.client, "IPPool", name, [says("n3", 41, 50)]);
      expect(await whole("IPPool", name, 3)).toContainEqual(says("n3", 41, 50));
    },
  );

  it("an invalid spec frees nothing, and is given from once it is put right", async () => {
    const { name, spec, says } = nextPool();
    const recorded = [says("n1", 1, 10), says("n2", 11, 20), says("n3", 21, 30)];
    await createNvIpamPool(cluster.client, "IPPool", name, spec, recorded);
    const one = start();
    await until(async () => (await blocksOf("IPPool", name)).length === 3, "it is taken over");
    await cluster.client.patch(nvIpamPath("IPPool", name), { spec: { gateway: "10.9.9.9" } }, "merge");
    await until(
      async () =>
        (await one.metric("kube_node_pool_ready", `pool="${name}",reason="InvalidSpec"`)) === 0 &&
        (await one.get("/metrics")).text.includes(`pool="${name}",reason="InvalidSpec"`),
      "it is said",
    );
    await cluster.client.patch(
      nvIpamPath("IPPool", name),
      { spec: { perNodeBlockSize: 5, gateway: spec.gateway } },
      "merge",
    );
    await until(
      async () => (await one.get("/metrics")).text.includes(`pool="${name}",reason="GridMoved"`),
      "moved",
    );
    expect(await allocationsOf("IPPool", name)).toEqual(recorded);
    expect((await blocksOf("IPPool", name)).filter(({ spec: { closing } }) => closing)).toEqual([]);
  });

  it("leaves all alone while nv-ipam's controller leads, in any namespace it was told of, at the start and later", async () => {
    for (const namespace of ["kube-system", "default"]) {
      const { name, spec, says } = nextPool();
      await createNvIpamPool(cluster.client, "IPPool", name, spec, [says("n1", 21, 30)]);
      await holdNvIpamLease(cluster.client, "old-1", { namespace, seconds: 60 });
      const own = nextPool();
      const one = start();
      await cluster.createPool("IPPool", own.name, own.spec);
      const { reason: words } = await one.said("nv-ipam's pools are not served");
      await until(() => cluster.annotation("n1", own.name), "ours are served");
      expect(await blocksOf("IPPool", name)).toEqual([]);
      await one.said(`holds the Lease ${namespace}/dd1643cf.nvidia.com: stop it`);
      expect(words).toBeDefined();
      expect(await one.metric("kube_node_controller_served_group_held")).toBe(1);
      await holdNvIpamLease(cluster.client, "", { namespace });
      await whole("IPPool", name, 3);
      // It comes back, while a Node comes and the old one gives that a block by itself.
      await holdNvIpamLease(cluster.client, "old-2", { namespace, seconds: 60 });
      await one.said("(old-2) holds");
      const late = `late-${namespace}`;
      await cluster.createNode(late);
      await until(() => cluster.annotation(late, own.name), "ours go on");
      const before = await allocationsOf("IPPool", name);
      await writeNvIpamStatus(cluster.client, "IPPool", name, [...before, says(late, 51, 60)]);
      expect(await blocksOf("IPPool", name)).toHaveLength(3);
      await holdNvIpamLease(cluster.client, "", { namespace });
      await until(async () => (await indexesOf("IPPool", name))[late] === "5", "what it gave is taken over");
      await cluster.remove(`/api/v1/nodes/${late}`);
    }
  });

  it("what both gave one Node at one time: ours goes where the Node was never shown it, and stands behind until it is free", async () => {
    const { name, spec, says } = nextPool();
    const { metadata } = await createNvIpamPool(cluster.client, "IPPool", name, spec, [says("n1", 1, 10)]);
    await holdNvIpamLease(cluster.client, "old-3", { seconds: 60 });
    const one = start();
    await one.said("(old-3) holds");
    const node = await cluster.node("n2");
    const pool = { kind: "IPPool" as const, name, uid: metadata.uid };
    const ends = says("n2", 31, 40);
    await cluster.client.create(poolPath("NodeBlock"), {
      apiVersion: "ipam.kube-node.io/v1alpha1",
      kind: "NodeBlock",
      metadata: { name: `ippool.${name}.3`, labels: { [servedLabel]: "nv-ipam.nvidia.com" } },
      spec: {
        ...{ pool, index: "3", first: ends.startIP, last: ends.endIP },
        ...{ nodeName: "n2", nodeUID: node?.metadata.uid },
      },
    });
    await writeNvIpamStatus(cluster.client, "IPPool", name, [says("n1", 1, 10), says("n2", 41, 50)]);
    await holdNvIpamLease(cluster.client, "");
    expect((await one.said("block closing"))["why"]).toBe(
      "nv-ipam's status says otherwise, and its Node was not shown it",
    );
    expect(await whole("IPPool", name, 4)).toEqual([
      says("n1", 1, 10),
      says("n2", 41, 50),
      says("n2", 31, 40),
      says("n3", 11, 20),
    ]);
    const shown = await until(
      async () => (await cluster.annotation("n2", name))?.blocks.find((block) => !block.closing),
      "n2 is shown what nv-ipam gave it",
    );
    expect(shown.name).toBe(`ippool.${name}.4`);
    await cluster.setBlockStatus(`ippool.${name}.3`, { drained: true });
    expect(await whole("IPPool", name, 3)).toEqual([
      says("n1", 1, 10),
      says("n2", 41, 50),
      says("n3", 11, 20),
    ]);
  });

  it("and where the Node was shown ours, it is a doubt: nothing moves until a person has put the status right", async () => {
    const { name, spec, says } = nextPool();
    await createNvIpamPool(cluster.client, "IPPool", name, spec);
    const one = start();
    const all = await whole("IPPool", name, 3);
    await until(() => cluster.annotation("n3", name), "n3 is shown its own");
    await holdNvIpamLease(cluster.client, "old-4", { seconds: 60 });
    await one.said("(old-4) holds");
    await writeNvIpamStatus(cluster.client, "IPPool", name, [...all.slice(0, 2), says("n3", 51, 60)]);
    await holdNvIpamLease(cluster.client, "");
    expect((await one.said("an allocation is in doubt")).reason).toBe(
      `n3 has NodeBlock ippool.${name}.2, and another block by its allocation`,
    );
    await until(async () => (await one.metric("kube_node_controller_queue_length")) === 0, "it is idle");
    expect(await indexesOf("IPPool", name)).toEqual({ n1: "0", n2: "1", n3: "2" });
    expect((await blocksOf("IPPool", name)).filter(({ spec: { closing } }) => closing)).toEqual([]);
    expect((await allocationsOf("IPPool", name)).at(-1)).toEqual(says("n3", 51, 60));
    await writeNvIpamStatus(cluster.client, "IPPool", name, all as { nodeName: string }[]);
    await cluster.createNode("n9");
    expect(await whole("IPPool", name, 4)).toEqual([...all, says("n9", 31, 40)]);
    await cluster.remove("/api/v1/nodes/n9");
  });

  it("a Lease that nobody renews runs out", async () => {
    const { name, spec } = nextPool();
    await createNvIpamPool(cluster.client, "IPPool", name, spec);
    await holdNvIpamLease(cluster.client, "killed", { seconds: 2 });
    const one = start();
    await one.said("(killed) holds");
    await whole("IPPool", name, 3);
  });

  it("two pools of one kind and name: ours counts, and nv-ipam's says what the NodeBlocks are", async () => {
    const { name, spec, says } = nextPool();
    const nv = await createNvIpamPool(cluster.client, "IPPool", name, spec, [says("n2", 11, 20)]);
    start();
    const all = await whole("IPPool", name, 3);
    // As `migrate --to-group` makes it.
    const own = await cluster.client.create<NvObject>(poolPath("IPPool"), {
      apiVersion: "ipam.kube-node.io/v1alpha1",
      kind: "IPPool",
      metadata: { name, annotations: { "ipam.kube-node.io/moved-from": nv.metadata.uid } },
      spec,
    });
    await cluster.createNode("n4");
    expect(await whole("IPPool", name, 4)).toEqual([...all, says("n4", 31, 40)]);
    const fourth = await cluster.block(`ippool.${name}.3`);
    expect(fourth?.spec.pool.uid).toBe(own.metadata.uid);
    await cluster.client.remove(nvIpamPath("IPPool", name));
    await until(
      async () => (await at("IPPool", name).catch(() => undefined)) === undefined,
      "nv-ipam's is gone",
    );
    expect((await blocksOf("IPPool", name)).filter(({ spec: { closing } }) => closing)).toEqual([]);
    // And back.
    await createNvIpamPool(cluster.client, "IPPool", name, spec, [...all, says("n4", 31, 40)]);
    const uids = `${own.metadata.uid},${nv.metadata.uid}`;
    await cluster.client.patch(
      nvIpamPath("IPPool", name),
      { metadata: { annotations: { "ipam.kube-node.io/moved-from": uids } } },
      "merge",
    );
    await until(
      async () => (await at("IPPool", name)).metadata.annotations?.["ipam.kube-node.io/moved-from"],
      "",
    );
    await cluster.remove(poolPath("IPPool", name));
    await until(async () => (await cluster.pool("IPPool", name)) === undefined, "ours is gone");
    await cluster.createNode("n5");
    expect(await whole("IPPool", name, 5)).toEqual([...all, says("n4", 31, 40), says("n5", 41, 50)]);
    expect((await blocksOf("IPPool", name)).filter(({ spec: { closing } }) => closing)).toEqual([]);
    for (const node of ["n4", "n5"]) await cluster.remove(`/api/v1/nodes/${node}`);
  });

  it("two that have nothing to do with each other: said as a doubt, nothing is given, nothing closes", async () => {
    const { name, spec, says } = nextPool();
    await createNvIpamPool(cluster.client, "IPPool", name, spec);
    const one = start();
    const all = await whole("IPPool", name, 3);
    await until(() => cluster.annotation("n3", name), "n3 is shown its own");
    await cluster.createPool("IPPool", name, nextPool().spec);
    await cluster.createNode("n6");
    await until(
      async () => (await one.get("/metrics")).text.includes(`pool="${name}",reason="Overlap"`),
      "it is said",
    );
    await writeNvIpamStatus(cluster.client, "IPPool", name, [...all, says("n6", 31, 40)]);
    expect((await one.said("an allocation is in doubt")).reason).toContain("rename one of them");
    await cluster.patchNode("n3", { labels: { looked: "at" } });
    await until(async () => (await one.metric("kube_node_controller_queue_length")) === 0, "it is idle");
    expect(await blocksOf("IPPool", name)).toHaveLength(3);
    expect((await blocksOf("IPPool", name)).filter(({ spec: { closing } }) => closing)).toEqual([]);
    expect((await cluster.annotation("n3", name))?.blocks[0]?.closing).toBeUndefined();
    await cluster.remove("/api/v1/nodes/n6");
  });

  it("a deleted pool waits for its blocks; without the flag they stay as they are", async () => {
    const { name, spec } = nextPool();
    await createNvIpamPool(cluster.client, "IPPool", name, spec);
    start();
    await whole("IPPool", name, 3);
    controller?.kill("SIGKILL");
    const without = startController({ kubeconfig: cluster.kubeconfig });
    await without.said("everything is listed");
    await until(async () => (await without.metric("kube_node_controller_queue_length")) === 0, "it is idle");
    without.kill("SIGKILL");
    expect((await blocksOf("IPPool", name)).filter(({ spec: { closing } }) => closing)).toEqual([]);
    start();
    await cluster.client.remove(nvIpamPath("IPPool", name));
    const isClosing = async () => (await blocksOf("IPPool", name)).every(({ spec: { closing } }) => closing);
    await until(isClosing, "its blocks close");
    for (const { metadata } of await blocksOf("IPPool", name))
      await cluster.setBlockStatus(metadata.name, { drained: true });
    await until(async () => (await at("IPPool", name).catch(() => undefined)) === undefined, "it is gone");
  });
});
