// The life of a block: closing, drained, free; Nodes that go or are made again; pools that are deleted. On the real API server.
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { poolPath } from "../parts/pool-resources.ts";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { type Controller, startController } from "./parts/controller.ts";
import { type PoolCluster, startPoolCluster, until } from "./parts/pool-cluster.ts";

const reason = reasonForNoRealApiServer();
const lack = whatLacks(reason === undefined ? {} : { missing: reason });
const quick = { blockReleaseDelay: "2s", blockHoldTime: "1s" };

describe.skipIf(lack.some)(`the life of a block${lack.words}`, () => {
  let cluster: PoolCluster;
  let controller: Controller;

  beforeAll(async () => {
    cluster = await startPoolCluster();
    controller = startController({ kubeconfig: cluster.kubeconfig });
  }, 90_000);
  afterAll(async () => {
    controller?.kill("SIGKILL");
    await cluster?.close();
  });

  /** A pool for Nodes with the label of its name. */
  const createPool = (name: string, octet: number, more: object = {}) =>
    cluster.createPool("IPPool", name, {
      subnet: `10.${octet}.0.0/24`,
      perNodeBlockSize: 16,
      nodeSelector: { nodeSelectorTerms: [{ matchExpressions: [{ key: name, operator: "Exists" }] }] },
      ...quick,
      ...more,
    });
  const shown = async (node: string, pool: string) =>
    (await cluster.annotation(node, pool))?.blocks.map(({ name, closing }) =>
      closing ? `${name} closing` : name,
    ) ?? [];
  const isShown = (node: string, pool: string, ...blocks: string[]) =>
    until(
      async () => JSON.stringify(await shown(node, pool)) === JSON.stringify(blocks),
      `${node} shows ${blocks.join(", ") || "nothing"} of ${pool}`,
    );
  const isGone = (block: string) => until(async () => !(await cluster.block(block)), `${block} is gone`);

  it("takes a block back by handshake from a Node that is selected no more", async () => {
    await createPool("label", 11);
    await cluster.createNode("label-1", { label: "" });
    await isShown("label-1", "label", "ippool.label.0");
    await cluster.patchNode("label-1", { labels: { label: null } });
    await isShown("label-1", "label", "ippool.label.0 closing");
    await sleep(2500); // Nobody answers: it is in use.
    expect((await cluster.block("ippool.label.0"))?.spec.closing).toBe(true);
    await cluster.setBlockStatus("ippool.label.0", { drained: true });
    await isShown("label-1", "label");
    await isGone("ippool.label.0");
    await cluster.patchNode("label-1", { labels: { label: "" } });
    await isShown("label-1", "label", "ippool.label.0");
  });

  it("keeps the block of a Node that is gone for the release delay, and frees it then", async () => {
    await createPool("gone", 12, { blockReleaseDelay: "5s" });
    await cluster.createNode("gone-1", { gone: "" });
    await isShown("gone-1", "gone", "ippool.gone.0");
    await cluster.remove("/api/v1/nodes/gone-1");
    const block = await until(async () => {
      const one = await cluster.block("ippool.gone.0");
      return one?.status?.nodeGoneAt === undefined ? undefined : one;
    }, "its going is noted");
    await cluster.createNode("gone-2", { gone: "" });
    await isShown("gone-2", "gone", "ippool.gone.1");
    await isGone("ippool.gone.0");
    expect(Date.now() - Date.parse(block.status?.nodeGoneAt ?? "")).toBeGreaterThanOrEqual(5000);
    await cluster.createNode("gone-3", { gone: "" });
    await isShown("gone-3", "gone", "ippool.gone.0");
  });

  it("waits for what a node was told, though the pool's delay was shortened since", async () => {
    await createPool("told", 23, { blockReleaseDelay: "24h", blockHoldTime: "12h" });
    await cluster.createNode("told-1", { told: "" });
    await isShown("told-1", "told", "ippool.told.0");
    expect((await cluster.block("ippool.told.0"))?.spec.holdsFor).toBe(43_200);
    await cluster.patchPool("IPPool", "told", { spec: quick });
    await cluster.remove("/api/v1/nodes/told-1");
    await until(async () => (await cluster.block("ippool.told.0"))?.status?.nodeGoneAt, "its going is noted");
    await cluster.createNode("told-2", { told: "" });
    await isShown("told-2", "told", "ippool.told.1");
    await sleep(2500);
    expect(await cluster.block("ippool.told.0")).toBeDefined();
  });

  it("lets a Node made again under its name drain the block of the one before", async () => {
    await createPool("again", 13, { blockReleaseDelay: "5s" });
    await cluster.createNode("again-1", { again: "" });
    await isShown("again-1", "again", "ippool.again.0");
    await cluster.remove("/api/v1/nodes/again-1");
    const second = await cluster.createNode("again-1", { again: "" });
    await isShown("again-1", "again", "ippool.again.0 closing", "ippool.again.1");
    expect((await cluster.annotation("again-1", "again"))?.nodeUID).toBe(second.metadata.uid);
    await cluster.setBlockStatus("ippool.again.0", { drained: true });
    await isShown("again-1", "again", "ippool.again.1");
    expect(await cluster.block("ippool.again.0")).toBeDefined(); // The one before may have been another machine.
    await isGone("ippool.again.0");
    expect((await cluster.block("ippool.again.1"))?.status?.nodeGoneAt).toBeUndefined();
  });

  it("lets a deleted pool wait for its blocks, and says for whom", async () => {
    await createPool("leave", 14);
    for (const name of ["leave-1", "leave-2"]) await cluster.createNode(name, { leave: "" });
    await until(async () => (await shown("leave-2", "leave")).length === 1, "both have a block");
    await until(async () => (await shown("leave-1", "leave")).length === 1, "both have a block");
    await cluster.remove(poolPath("IPPool", "leave"));
    const condition = await until(async () => {
      const one = await cluster.condition("IPPool", "leave");
      return one?.reason === "Deleting" ? one : undefined;
    }, "it says that it waits");
    expect(condition.message).toContain("leave-1, leave-2");
    await until(async () => (await shown("leave-1", "leave"))[0]?.endsWith("closing"), "its block closes");
    await until(async () => (await shown("leave-2", "leave"))[0]?.endsWith("closing"), "its block closes");
    for (const index of [0, 1]) await cluster.setBlockStatus(`ippool.leave.${index}`, { drained: true });
    await until(async () => !(await cluster.pool("IPPool", "leave")), "the pool is gone");
    expect(await shown("leave-1", "leave")).toEqual([]);
    expect((await cluster.node("leave-1"))?.metadata.annotations ?? {}).toEqual({});
  });

  it("frees nothing for an invalid spec, and gives nothing", async () => {
    await createPool("typo", 15);
    await cluster.createNode("typo-1", { typo: "" });
    await isShown("typo-1", "typo", "ippool.typo.0");
    const before = (await cluster.node("typo-1"))?.metadata.annotations;
    const exclusions = [{ startIP: "10.15.0.9", endIP: "10.15.0.3" }];
    await cluster.patchPool("IPPool", "typo", { spec: { exclusions } });
    await until(
      async () => (await cluster.condition("IPPool", "typo"))?.reason === "InvalidSpec",
      "it is invalid",
    );
    await cluster.createNode("typo-2", { typo: "" });
    await cluster.patchNode("typo-1", { labels: { other: "" } });
    await controller.said("a pool is not as it should be");
    await sleep(500);
    expect((await cluster.node("typo-1"))?.metadata.annotations).toEqual(before);
    expect(await shown("typo-2", "typo")).toEqual([]);
    expect(await events("InvalidSpec", "typo")).toBe(true);
    await cluster.patchPool("IPPool", "typo", { spec: { exclusions: null } });
    await isShown("typo-2", "typo", "ippool.typo.1");
    await until(
      async () => (await cluster.condition("IPPool", "typo"))?.status === "True",
      "it is good again",
    );
  });

  it("says where no block is free, and gives the first that gets free", async () => {
    await createPool("full", 16, { subnet: "10.16.0.0/30", perNodeBlockSize: 2 });
    await cluster.createNode("full-1", { full: "" });
    await isShown("full-1", "full", "ippool.full.0");
    await cluster.createNode("full-2", { full: "" });
    const condition = await until(async () => {
      const one = await cluster.condition("IPPool", "full");
      return one?.reason === "NoFreeRanges" ? one : undefined;
    }, "it is full");
    expect(condition.message).toContain("full-2");
    expect(await events("NoFreeRanges", "full")).toBe(true);
    await cluster.patchNode("full-1", { labels: { full: null } });
    await isShown("full-1", "full", "ippool.full.0 closing");
    await cluster.setBlockStatus("ippool.full.0", { drained: true });
    await isShown("full-2", "full", "ippool.full.0");
    expect(await shown("full-1", "full")).toEqual([]);
  });

  it("puts right what somebody else wrote, and says who", async () => {
    await createPool("edit", 17);
    await cluster.createNode("edit-1", { edit: "" });
    await isShown("edit-1", "edit", "ippool.edit.0");
    const key = "ippool.ipam.kube-node.io/edit";
    const before = (await cluster.node("edit-1"))?.metadata.annotations?.[key];
    const patch = { metadata: { annotations: { [key]: "rubbish" } } };
    await cluster.client.patch("/api/v1/nodes/edit-1?fieldManager=somebody", patch, "merge");
    await until(
      async () => (await cluster.node("edit-1"))?.metadata.annotations?.[key] === before,
      "it is put right",
    );
    expect((await controller.said("somebody else wrote"))["manager"]).toBe("somebody");
    expect(await events("ForeignValue", "edit-1")).toBe(true);
    // A good annotation that says something else, and none at all, are put right as well.
    const other = before?.replace("10.17.0.1-10.17.0.16", "10.17.0.1-10.17.0.99") ?? "";
    expect(other).not.toBe(before);
    for (const value of [other, null]) {
      const change = { metadata: { annotations: { [key]: value } } };
      await cluster.client.patch("/api/v1/nodes/edit-1?fieldManager=somebody", change, "merge");
      await until(
        async () => (await cluster.node("edit-1"))?.metadata.annotations?.[key] === before,
        `it is put right after ${value}`,
      );
    }
    // What isn't ours is left alone.
    await cluster.patchNode("edit-1", { annotations: { "example.org/mine": "x" }, labels: { edit: null } });
    await isShown("edit-1", "edit", "ippool.edit.0 closing");
    expect((await cluster.node("edit-1"))?.metadata.annotations?.["example.org/mine"]).toBe("x");
  });

  it("holds a pool where a Node has blocks without a NodeBlock, until they are there again", async () => {
    await createPool("lost", 18);
    await cluster.createNode("lost-1", { lost: "" });
    await isShown("lost-1", "lost", "ippool.lost.0");
    const block = await cluster.block("ippool.lost.0");
    await cluster.remove(poolPath("NodeBlock", "ippool.lost.0"));
    const condition = await until(async () => {
      const one = await cluster.condition("IPPool", "lost");
      return one?.reason === "NotRebuilt" ? one : undefined;
    }, "it isn't rebuilt");
    expect(condition.message).toContain("ippool.lost.0 of lost-1");
    await cluster.createNode("lost-2", { lost: "" });
    await sleep(500);
    expect(await shown("lost-2", "lost")).toEqual([]);
    expect(await shown("lost-1", "lost")).toEqual(["ippool.lost.0"]);
    const { apiVersion, kind, spec } = block as NonNullable<typeof block>;
    await cluster.client.create(poolPath("NodeBlock"), {
      apiVersion,
      kind,
      metadata: { name: "ippool.lost.0" },
      spec,
    });
    await isShown("lost-2", "lost", "ippool.lost.1");

    const held = [
      {
        name: "ippool.lost.5",
        subnet: "10.18.0.0/24",
        first: "10.18.0.81",
        last: "10.18.0.96",
        used: 1,
        nodeUID: "u",
      },
    ];
    await cluster.patchNode("lost-1", { annotations: { "ipam.kube-node.io/held": JSON.stringify(held) } });
    await until(
      async () => (await cluster.condition("IPPool", "lost"))?.reason === "NotRebuilt",
      "it isn't rebuilt",
    );
    await cluster.createNode("lost-3", { lost: "" });
    await sleep(300);
    expect(await shown("lost-3", "lost")).toEqual([]);
    await cluster.patchPool("IPPool", "lost", {
      metadata: { annotations: { "ipam.kube-node.io/rebuilt": new Date().toISOString() } },
    });
    await isShown("lost-3", "lost", "ippool.lost.2");
  });

  it("closes what is left of a pool that went by force, and gives nothing of the next one until that is free", async () => {
    await createPool("force", 19);
    await cluster.createNode("force-1", { force: "" });
    await isShown("force-1", "force", "ippool.force.0");
    const block = await cluster.block("ippool.force.0");
    await cluster.remove(poolPath("IPPool", "force"));
    await cluster.patchPool("IPPool", "force", { metadata: { finalizers: null } });
    await isShown("force-1", "force", "ippool.force.0 closing");
    // As a controller makes one that heard late of the pool's end, and dies before it is shown.
    const { apiVersion, kind, spec } = block as NonNullable<typeof block>;
    const late = { ...spec, index: "1", first: "10.19.0.17", last: "10.19.0.32" };
    const metadata = { name: "ippool.force.1" };
    await cluster.client.create(poolPath("NodeBlock"), { apiVersion, kind, metadata, spec: late });
    await createPool("force", 19);
    await isShown("force-1", "force", "ippool.force.0 closing", "ippool.force.1 closing");
    await until(async () => (await cluster.condition("IPPool", "force"))?.reason === "Overlap", "it waits");
    for (const index of [0, 1]) await cluster.setBlockStatus(`ippool.force.${index}`, { drained: true });
    await until(async () => {
      const now = await cluster.block("ippool.force.0");
      return now && now.spec.pool.uid !== spec.pool.uid;
    }, "the next pool gives");
    await isShown("force-1", "force", "ippool.force.0");
  });

  const events = async (why: string, name: string) =>
    until(async () => {
      const all = await cluster.client.list(
        "/apis/events.k8s.io/v1/namespaces/default/events",
        (item) => item as { reason: string; regarding: { name: string } },
      );
      return all.some(({ reason, regarding }) => reason === why && regarding.name === name);
    }, `there is an event ${why} of ${name}`);
});
