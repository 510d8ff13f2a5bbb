// A controller that is killed at each request of a pool's whole life, before the API server hears of it and after it has answered: the
// next one goes on, and no block is ever two Nodes'. A sample of the requests; SOAK=1: each of them.
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sample, sampled } from "../faults/parts/effort.ts";
import { poolPath } from "../parts/pool-resources.ts";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { type Controller, startController } from "./parts/controller.ts";
import { makeFakeAgents } from "./parts/fake-agents.ts";
import { startFaultyProxy } from "./parts/faulty-proxy.ts";
import { findFaults } from "./parts/invariants.ts";
import { observe } from "./parts/observer.ts";
import { type PoolCluster, startPoolCluster, until } from "./parts/pool-cluster.ts";

const reason = reasonForNoRealApiServer();
const lack = whatLacks(reason === undefined ? {} : { missing: reason });
const releaseDelayMs = 1100;

describe.skipIf(lack.some)(`killed at a request (${sampled})${lack.words}`, () => {
  let cluster: PoolCluster;
  let lives = 0;

  beforeAll(async () => {
    cluster = await startPoolCluster();
  }, 90_000);
  afterAll(() => cluster?.close());

  /** A pool, given to two Nodes, taken back from both, and deleted; by controllers of which the first is killed. How often was asked. */
  async function liveThrough(kill?: { request: number; when: "before" | "after" }): Promise<number> {
    const pool = `p${++lives}`;
    const nodes = ["leaves", "goes"].map((what) => `${pool}-${what}`) as [string, string];
    const [leaves, goes] = nodes;
    await cluster.createPool("IPPool", pool, {
      ...{ subnet: `10.${lives}.0.0/28`, perNodeBlockSize: 4 },
      ...{ blockReleaseDelay: `${releaseDelayMs}ms`, blockHoldTime: "1s" },
      nodeSelector: { nodeSelectorTerms: [{ matchExpressions: [{ key: pool, operator: "Exists" }] }] },
    });
    for (const node of nodes) await cluster.createNode(node, { [pool]: "" });
    let controller: Controller | undefined;
    let isOver = false;
    const proxy = await startFaultyProxy(
      cluster.api,
      () => 1,
      () => controller?.kill("SIGKILL"),
    );
    if (kill) proxy.killAt(kill.request, kill.when);
    const running = (async () => {
      while (!isOver) {
        controller = startController({ kubeconfig: proxy.kubeconfig });
        await controller.exited;
      }
    })();
    const look = makeFakeAgents(cluster, 100);
    const agents = (async () => {
      for (; !isOver; await sleep(50)) await look().catch(() => {});
    })();
    try {
      for (const node of nodes) await until(() => cluster.annotation(node, pool), `${node} has a block`);
      await cluster.patchNode(leaves, { labels: { [pool]: null } });
      const held = async () =>
        (await cluster.blocks()).flatMap(({ spec }) => (spec.pool.name === pool ? [spec.nodeName] : []));
      await until(async () => (await held()).join() === goes, `${leaves}'s is free`);
      await cluster.remove(`/api/v1/nodes/${goes}`);
      await until(async () => (await held()).length === 0, `${goes}'s is free`);
      await cluster.createNode(goes, { [pool]: "" });
      await until(() => cluster.annotation(goes, pool), `${goes} has one anew`);
      await cluster.remove(poolPath("IPPool", pool));
      await until(async () => !(await cluster.pool("IPPool", pool)), "the pool is gone");
      expect((await cluster.node(goes))?.metadata.annotations ?? {}).toEqual({});
      expect((await cluster.node(leaves))?.metadata.annotations ?? {}).toEqual({});
      expect(await held()).toEqual([]);
    } finally {
      isOver = true;
      controller?.kill("SIGKILL");
      await Promise.all([running, agents]);
      await proxy.close();
      for (const node of nodes) await cluster.remove(`/api/v1/nodes/${node}`).catch(() => {});
    }
    return proxy.asked.length;
  }

  it(
    "no block is two Nodes', none is freed early, and all goes on",
    async () => {
      const observer = await observe(cluster.client, {
        Node: "/api/v1/nodes",
        NodeBlock: poolPath("NodeBlock"),
      });
      const requests = await liveThrough();
      expect(requests).toBeGreaterThan(30);
      const all = Array.from({ length: requests }, (_, index) => index + 1);
      const kills = all.flatMap((request) => [
        { request, when: "before" as const },
        { request, when: "after" as const },
      ]);
      const chosen = sample(kills, 5);
      let killed = 0;
      for (const kill of chosen) if ((await liveThrough(kill)) > kill.request) killed++;
      await observer.stop();
      // Not every life has as many requests: some are for what a watch tells in time at another time.
      expect(killed).toBeGreaterThan(chosen.length * 0.8);
      expect(findFaults(observer.revisions, releaseDelayMs)).toEqual([]);
      expect(observer.revisions.filter(({ kind }) => kind === "NodeBlock").length).toBeGreaterThan(
        chosen.length * 6,
      );
    },
    15 * 60_000,
  );
});
