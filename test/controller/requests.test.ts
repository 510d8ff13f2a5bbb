// What the controller asks of the API server, and what it never does, by a proxy that writes down each request.
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { poolPath } from "../parts/pool-resources.ts";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { type Controller, startController } from "./parts/controller.ts";
import { type Asked, type FaultyProxy, startFaultyProxy } from "./parts/faulty-proxy.ts";
import { type PoolCluster, startPoolCluster, until } from "./parts/pool-cluster.ts";

const reason = reasonForNoRealApiServer();
const lack = whatLacks(reason === undefined ? {} : { missing: reason });

describe.skipIf(lack.some)(`requests of the controller${lack.words}`, () => {
  let cluster: PoolCluster;
  let proxy: FaultyProxy;
  let controller: Controller;

  beforeAll(async () => {
    cluster = await startPoolCluster();
    for (const [name, octet] of [
      ["a", 1],
      ["b", 2],
    ] as const)
      await cluster.createPool("IPPool", name, {
        ...{ subnet: `10.${octet}.0.0/22`, perNodeBlockSize: 8 },
        ...{ blockReleaseDelay: "1100ms", blockHoldTime: "1s" },
        nodeSelector: { nodeSelectorTerms: [{ matchExpressions: [{ key: name, operator: "Exists" }] }] },
      });
    for (const [index, name] of ["n1", "n2"].entries())
      await cluster.api.createNode({ name, labels: { a: "", b: "" }, podCIDRs: [`10.9.${index}.0/24`] });
  }, 90_000);
  afterAll(() => cluster?.close());
  afterEach(async () => {
    controller?.kill("SIGKILL");
    await proxy?.close();
  });

  async function start(...args: string[]): Promise<void> {
    proxy = await startFaultyProxy(cluster.api, Math.random, () => {});
    controller = startController({ kubeconfig: proxy.kubeconfig, args });
    await controller.said("everything is listed");
  }
  const idle = () =>
    until(async () => (await controller.metric("kube_node_controller_queue_length")) === 0, "it is idle");
  const writes = () => proxy.asked.filter(({ method }) => method !== "GET");
  const ofNodes = ({ url }: Asked) => /^\/api\/v1\/nodes(\/|$)/.test(url.pathname);
  const isWhole = ({ accept }: Asked) => !accept.includes("PartialObjectMetadata");

  it("watches Nodes as metadata, asks for their podCIDRs once, writes two requests a Node and pool at most", async () => {
    await start();
    for (const node of ["n1", "n2"])
      for (const pool of ["a", "b"]) await until(() => cluster.annotation(node, pool), `${node} has ${pool}`);
    await until(async () => (await cluster.condition("IPPool", "b"))?.status === "True", "all is told");
    await cluster.api.createNode({ name: "n3", podCIDRs: ["10.9.3.0/24"] });
    await until(
      async () => proxy.asked.some((one) => isWhole(one) && one.url.pathname.endsWith("/n3")),
      "n3's are asked for",
    );
    await idle();
    for (let i = 0; i < 5; i++)
      for (const node of ["n1", "n3"])
        await cluster.patchNode(node, { annotations: { beat: String(i) }, labels: { other: String(i) } });
    await sleep(1000);
    const reads = proxy.asked.filter((one) => one.method === "GET" && ofNodes(one));
    const many = reads.filter(({ url }) => url.pathname === "/api/v1/nodes");
    expect(many.some(({ url }) => url.searchParams.get("watch") === "true")).toBe(true);
    expect(many.filter((one) => isWhole(one) && one.url.searchParams.has("watch"))).toEqual([]);
    // Those of all Nodes that were there at first by one list, then of each that joins.
    expect(reads.filter(isWhole).map(({ url }) => url.pathname)).toEqual([
      "/api/v1/nodes",
      "/api/v1/nodes/n3",
    ]);

    const claims = writes().filter(
      ({ method, url }) => method === "POST" && url.pathname === poolPath("NodeBlock"),
    );
    const applies = writes().filter(ofNodes);
    expect(claims).toHaveLength(4);
    expect(applies.length).toBeLessThanOrEqual(4);
    for (const { method, url, body } of applies) {
      const { metadata, ...more } = JSON.parse(body) as {
        metadata: { name: string; uid: string; resourceVersion: string; annotations: object };
      };
      expect(method).toBe("PATCH");
      expect(url.searchParams.get("fieldManager")).toBe("kube-node-controller");
      expect(metadata).toMatchObject({ uid: expect.any(String), resourceVersion: expect.any(String) });
      expect(Object.keys(more).sort()).toEqual(["apiVersion", "kind"]);
    }
    for (const pool of ["a", "b"]) {
      const isGrid = ({ url, body }: Asked) =>
        url.pathname === `${poolPath("IPPool", pool)}/status` && body.includes('"grid"');
      const isClaim = ({ method, body }: Asked) => method === "POST" && body.includes(`"ippool.${pool}.`);
      expect(writes().findIndex(isGrid), "the grid is frozen").toBeGreaterThanOrEqual(0);
      expect(writes().findIndex(isGrid)).toBeLessThan(writes().findIndex(isClaim));
    }
    for (const node of ["n1", "n2"]) {
      const own = applies.filter(({ url }) => url.pathname.endsWith(`/${node}`));
      // One write carries all its pools: an apply with one would drop the others.
      expect(Object.keys(JSON.parse(own.at(-1)?.body ?? "").metadata.annotations).sort()).toEqual([
        "ippool.ipam.kube-node.io/a",
        "ippool.ipam.kube-node.io/b",
      ]);
    }
  });

  it("writes nothing where everything is in place, started anew", async () => {
    await start();
    await idle();
    await sleep(2000);
    expect(writes()).toEqual([]);
    expect(proxy.asked.length).toBeGreaterThan(5);
  });

  it("deletes a block as it is known, by UID and resourceVersion, and after its Node's annotation went", async () => {
    await start();
    const block = (await cluster.blocks()).find(
      ({ spec }) => spec.nodeName === "n1" && spec.pool.name === "a",
    );
    const name = block?.metadata.name ?? "";
    await cluster.patchNode("n1", { labels: { a: null } });
    await until(async () => (await cluster.block(name))?.spec.closing, "it closes");
    await until(
      async () => (await cluster.annotation("n1", "a"))?.blocks[0]?.closing,
      "its Node shows it closing",
    );
    await cluster.setBlockStatus(name, { drained: true });
    await until(async () => !(await cluster.block(name)), "it is free");
    await cluster.remove("/api/v1/nodes/n2");
    await until(async () => (await cluster.blocks()).length === 1, "those of a Node that is gone are free");
    const deletions = proxy.asked.filter(({ method }) => method === "DELETE");
    expect(deletions.map(({ url }) => url.pathname)).toHaveLength(3);
    for (const { body } of deletions)
      expect(JSON.parse(body)).toMatchObject({
        preconditions: { uid: expect.any(String), resourceVersion: expect.stringMatching(/^\d+$/) },
      });
    expect(JSON.parse(deletions[0]?.body ?? "").preconditions.uid).toBe(block?.metadata.uid);
    const freed = proxy.asked.indexOf(deletions[0] as Asked);
    const applies = proxy.asked.slice(0, freed).filter((one) => one.method === "PATCH" && ofNodes(one));
    expect(applies.at(-1)?.body).not.toContain(name);
    expect(applies.at(-2)?.body).toContain('\\"closing\\":true');
    // Closing and its end are said of just this block, too.
    for (const { body } of writes().filter(
      ({ url, method }) => method === "PATCH" && url.pathname.includes("/nodeblocks/"),
    ))
      expect(JSON.parse(body).metadata).toMatchObject({
        uid: expect.any(String),
        resourceVersion: expect.any(String),
      });
  });

  it("asks at the rate that it may, and less and less often where it is refused", async () => {
    await start("--requests-per-second=20");
    const names = Array.from({ length: 60 }, (_, i) => `rate-${i}`);
    const began = performance.now();
    for (const name of names) await cluster.createNode(name, { b: "" });
    await until(
      async () => (await cluster.annotation("rate-59", "b")) !== undefined,
      "the last one has a block",
    );
    for (const name of names) await until(() => cluster.annotation(name, "b"), `${name} has a block`);
    // Twice a second's requests at once, then its share: of two writes a Node at least.
    expect(performance.now() - began).toBeGreaterThan(((60 * 2 - 40) / 20) * 1000 - 200);

    await idle();
    proxy.set({ killed: 0, dropped: 0, refused: 1, delayed: 0, delay: 0 });
    const before = proxy.asked.length;
    await cluster.createNode("late", { b: "" });
    await until(async () => proxy.asked.length > before, "it has heard of it");
    await sleep(3000);
    const early = proxy.asked.length - before;
    await sleep(9000);
    const later = proxy.asked.length - before - early;
    expect(early).toBeGreaterThan(0);
    // A third as often, at most.
    expect(later).toBeLessThan(Math.max(3, early));
    proxy.set({ killed: 0, dropped: 0, refused: 0, delayed: 0, delay: 0 });
    await until(() => cluster.annotation("late", "b"), "it goes on where it is answered again", 60_000);
  }, 120_000);
});
