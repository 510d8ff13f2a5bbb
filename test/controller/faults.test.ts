// Two controllers at once, stopped, killed at any call, with late caches and late writes, while Nodes come, go and are relabelled and pools
// grow and are made again: never a block at two Nodes. SOAK=1 takes minutes (SOAK_MINUTES), FAULTS_SEED=N begins as that run did.
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { makeRandom, seed, soak } from "../faults/parts/effort.ts";
import { poolPath } from "../parts/pool-resources.ts";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { type Controller, startController } from "./parts/controller.ts";
import { makeFakeAgents } from "./parts/fake-agents.ts";
import { findFaults } from "./parts/invariants.ts";
import { observe } from "./parts/observer.ts";
import { type PoolCluster, startPoolCluster, until } from "./parts/pool-cluster.ts";
import { tossControllers } from "./parts/tossed-controllers.ts";
import { makeTossedWorld } from "./parts/tossed-world.ts";

const reason = reasonForNoRealApiServer();
const lack = whatLacks(reason === undefined ? {} : { missing: reason });
const seconds = soak ? Number(process.env["SOAK_MINUTES"] ?? 5) * 60 : 20;
const releaseDelayMs = 2000;
const faults = { killed: 0.006, dropped: 0.02, refused: 0.02, delayed: 0.25, delay: 400 };

describe.skipIf(lack.some)(`pools under faults, FAULTS_SEED=${seed}${lack.words}`, () => {
  let cluster: PoolCluster | undefined;
  let last: Controller | undefined;

  afterEach(async () => {
    last?.kill("SIGKILL");
    await cluster?.close();
  });

  it.each([
    { elects: false, words: "that both work" },
    { elects: true, words: "that elect a leader" },
  ])(
    `${seconds} s, two controllers $words: never a block at two Nodes`,
    async ({ elects }) => {
      const random = makeRandom(seed + Number(elects));
      cluster = await startPoolCluster();
      const observer = await observe(cluster.client, {
        Node: "/api/v1/nodes",
        NodeBlock: poolPath("NodeBlock"),
      });
      const world = makeTossedWorld(cluster, random, releaseDelayMs);
      await world.begin();
      const controllers = tossControllers(cluster, { random, faults, elects });
      const agents = again(makeFakeAgents(cluster, 400), () => 100);
      const people = again(world.act, () => random() * 120);
      await sleep(seconds * 1000);
      await people.end();
      await controllers.end();

      last = startController({ kubeconfig: cluster.kubeconfig });
      let left: string[] = [];
      const isSettled = async () => {
        left = await world.unsettled();
        return left.length === 0;
      };
      await until(isSettled, "the cluster is settled", 40_000).catch(async () => {
        const pools = await cluster?.client.list(poolPath("IPPool"), (item) => item);
        console.log(
          JSON.stringify(
            { pools, blocks: await cluster?.blocks(), said: last?.lines().slice(-20) },
            undefined,
            1,
          ),
        );
        expect(left).toEqual([]);
      });
      await agents.end();
      await last.stop();
      await sleep(500);
      await observer.stop();
      const { revisions } = observer;
      const count = (kind: string) => revisions.filter((one) => one.kind === kind).length;
      console.log(
        `faults: ${count("Node")} revisions of Nodes, ${count("NodeBlock")} of NodeBlocks; ${controllers.story()}`,
      );
      expect(findFaults(revisions, releaseDelayMs)).toEqual([]);
      expect(count("NodeBlock")).toBeGreaterThan(20);
    },
    (seconds + 120) * 1000,
  );
});

/** Does something again and again until told to end. What fails may be done already by somebody else. */
function again(work: () => Promise<void>, pauseMs: () => number): { end(): Promise<void> } {
  let isOver = false;
  const done = (async () => {
    while (!isOver) {
      await work().catch(() => {});
      await sleep(pauseMs());
    }
  })();
  return {
    end: async () => {
      isOver = true;
      await done;
    },
  };
}
