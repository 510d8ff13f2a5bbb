// A controller that stands still for a minute in the midst of its work, and goes on with what it knew before. SOAK=1.
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it, onTestFinished } from "vitest";
import { soak } from "../faults/parts/effort.ts";
import { poolPath } from "../parts/pool-resources.ts";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { type Controller, startController } from "./parts/controller.ts";
import { makeFakeAgents } from "./parts/fake-agents.ts";
import { findFaults } from "./parts/invariants.ts";
import { observe } from "./parts/observer.ts";
import { type PoolCluster, startPoolCluster, until } from "./parts/pool-cluster.ts";

const reason = reasonForNoRealApiServer();
const lack = whatLacks(
  reason === undefined ? {} : { missing: reason },
  soak ? {} : { missing: "SOAK=1: it takes three minutes" },
);
const releaseDelayMs = 20_000;

describe.skipIf(lack.some)(`a minute of SIGSTOP${lack.words}`, () => {
  let cluster: PoolCluster | undefined;
  let controllers: Controller[] = [];
  afterEach(async () => {
    for (const one of controllers) one.kill("SIGKILL");
    controllers = [];
    await cluster?.close();
  });

  it.each([
    { elects: true, words: "the leader's, which another one follows" },
    { elects: false, words: "one of two that both work" },
  ])(
    "$words: never a block at two Nodes",
    async ({ elects }) => {
      const own = await startPoolCluster();
      cluster = own;
      const observer = await observe(own.client, { Node: "/api/v1/nodes", NodeBlock: poolPath("NodeBlock") });
      await own.createPool("IPPool", "a", {
        ...{ subnet: "10.1.0.0/22", perNodeBlockSize: 4 },
        ...{ blockReleaseDelay: `${releaseDelayMs / 1000}s`, blockHoldTime: "1s" },
      });
      // What is written late may be a second block of a Node: it goes the usual way.
      const agents = setInterval(() => void look().catch(() => {}), 200);
      const look = makeFakeAgents(own, 100);
      onTestFinished(() => clearInterval(agents));
      const start = (identity: string) => {
        const args = [
          `--leader-elect=${elects}`,
          "--leader-elect-namespace=default",
          `--identity=${identity}`,
        ];
        const one = startController({ kubeconfig: own.kubeconfig, args });
        controllers.push(one);
        return one;
      };
      const first = start("first");
      await first.said("everything is listed");
      const second = start("second");
      await second.said("serving health");

      const create = async (prefix: string) => {
        for (let i = 0; i < 40; i++) await own.createNode(`${prefix}-${i}`);
      };
      const creating = create("while");
      await until(async () => (await own.blocks()).length >= 5, "the first of them have a block");
      first.kill("SIGSTOP"); // With requests under way, and Nodes that it knows to be without a block.
      await creating;
      await sleep(30_000);
      for (let i = 0; i < 40; i += 2) await own.remove(`/api/v1/nodes/while-${i}`);
      await sleep(30_000);
      await create("after");
      first.kill("SIGCONT");
      if (elects) expect(await first.exited).toBe(1);
      const nodes = await own.client.list(
        "/api/v1/nodes",
        (item) => (item as { metadata: { name: string } }).metadata.name,
      );
      for (const node of nodes) await until(() => own.annotation(node, "a"), `${node} has a block`);
      const others = async () =>
        (await own.blocks()).filter(({ spec }) => spec.closing || !nodes.includes(spec.nodeName));
      await until(async () => (await others()).length === 0, "all others are free", 60_000);
      expect(await own.blocks()).toHaveLength(nodes.length);
      await sleep(500);
      await observer.stop();
      expect(findFaults(observer.revisions, releaseDelayMs)).toEqual([]);
      expect(nodes).toHaveLength(60);
    },
    240_000,
  );
});
