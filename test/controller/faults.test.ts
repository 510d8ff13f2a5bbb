// Two controllers at once, stopped, killed at any call, with late caches and late writes, while Nodes come, go and are relabelled and pools
// grow and are made again: never a block at two Nodes. SOAK=1 takes minutes (SOAK_MINUTES), FAULTS_SEED=N repeats what is done.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeRandom, seed, soak } from "../faults/parts/effort.ts";
import { poolPath } from "../parts/pool-resources.ts";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { type Controller, startController } from "./parts/controller.ts";
import { makeFakeAgents } from "./parts/fake-agents.ts";
import { type FaultyProxy, noFaults, startFaultyProxy } from "./parts/faulty-proxy.ts";
import { findFaults } from "./parts/invariants.ts";
import { observe } from "./parts/observer.ts";
import { type PoolCluster, startPoolCluster, until } from "./parts/pool-cluster.ts";

const reason = reasonForNoRealApiServer();
const lack = whatLacks(reason === undefined ? {} : { missing: reason });
const seconds = soak ? Number(process.env["SOAK_MINUTES"] ?? 5) * 60 : 25;
const releaseDelayMs = 2000;
const nodeNames = Array.from({ length: 8 }, (_, i) => `n${i}`);
const faults = { killed: 0.006, dropped: 0.02, refused: 0.02, delayed: 0.25, delay: 400 };

describe.skipIf(lack.some)(`pools under faults, FAULTS_SEED=${seed}${lack.words}`, () => {
  let cluster: PoolCluster;
  const proxies: FaultyProxy[] = [];
  const current: (Controller | undefined)[] = [];

  beforeAll(async () => {
    cluster = await startPoolCluster();
  }, 90_000);
  afterAll(async () => {
    for (const one of current) one?.kill("SIGKILL");
    for (const one of proxies) await one.close();
    await cluster?.close();
  });

  for (const elects of [false, true])
    it(
      `${seconds} s, two controllers ${elects ? "that elect a leader" : "that both work"}: never a block at two Nodes`,
      async () => {
        const random = makeRandom(seed + Number(elects));
        const prefix = elects ? "e" : "b";
        const observer = await observe(cluster.client, {
          Node: "/api/v1/nodes",
          NodeBlock: poolPath("NodeBlock"),
        });
        const ending = new AbortController();
        const isOver = () => ending.signal.aborted;
        let restarts = 0;

        async function keepRunning(index: number): Promise<void> {
          const proxy = await startFaultyProxy(cluster.api, random, () => current[index]?.kill("SIGKILL"));
          proxies.push(proxy);
          proxy.set(faults);
          const kubeconfig = join(mkdtempSync(join(tmpdir(), "kncf-")), "kubeconfig");
          const clusters = [{ name: "c", cluster: { server: proxy.url } }];
          const contexts = [{ name: "c", context: { cluster: "c", user: "u" } }];
          const document = {
            apiVersion: "v1",
            kind: "Config",
            clusters,
            contexts,
            users: [{ name: "u", user: {} }],
            "current-context": "c",
          };
          writeFileSync(kubeconfig, JSON.stringify(document));
          const args = [
            `--leader-elect=${elects}`,
            "--lease-duration=3s",
            "--leader-elect-namespace=default",
            `--identity=${prefix}${index}`,
            "--log-level=info",
          ];
          while (!isOver()) {
            const controller = startController({ kubeconfig, args });
            current[index] = controller;
            await controller.exited;
            restarts++;
            await sleep(random() * 500);
          }
        }

        async function stopAndGo(): Promise<void> {
          while (!isOver()) {
            await sleep(random() * 1500);
            const one = current[random() < 0.5 ? 0 : 1];
            one?.kill("SIGSTOP");
            await sleep(random() * (random() < 0.3 ? 6000 : 800));
            one?.kill("SIGCONT");
          }
        }

        const pools = { a: 28, b: 27 } as Record<string, number>;
        const createPool = async (name: string) => {
          await cluster.createPool("IPPool", `${prefix}${name}`, {
            subnet: `10.${name === "a" ? 31 : 32}.0.0/${pools[name]}`,
            perNodeBlockSize: 2,
            nodeSelector: { nodeSelectorTerms: [{ matchExpressions: [{ key: name, operator: "Exists" }] }] },
            blockReleaseDelay: `${releaseDelayMs / 1000}s`,
            blockHoldTime: "1s",
          });
        };
        const pick = <T>(list: T[]) => list[Math.floor(random() * list.length)] as T;
        const labels = () =>
          Object.fromEntries(Object.keys(pools).flatMap((name) => (random() < 0.7 ? [[name, ""]] : [])));

        /** Somebody else may have done it meanwhile: no matter. */
        async function act(): Promise<void> {
          const name = `${prefix}-${pick(nodeNames)}`;
          const pool = pick(Object.keys(pools));
          const dice = random();
          if (dice < 0.3) await cluster.createNode(name, labels());
          else if (dice < 0.45) await cluster.remove(`/api/v1/nodes/${name}`);
          else if (dice < 0.55) {
            await cluster.remove(`/api/v1/nodes/${name}`);
            await cluster.createNode(name, labels());
          } else if (dice < 0.8) {
            const key = pick(Object.keys(pools));
            await cluster.patchNode(name, { labels: { [key]: random() < 0.5 ? null : "" } });
          } else if (dice < 0.93)
            await cluster.patchNode(name, { annotations: { heartbeat: String(random()) } });
          else if (dice < 0.96 && (pools[pool] ?? 0) > 24) {
            pools[pool] = (pools[pool] ?? 0) - 1;
            await cluster.patchPool("IPPool", `${prefix}${pool}`, {
              spec: { subnet: `10.${pool === "a" ? 31 : 32}.0.0/${pools[pool]}` },
            });
          } else if (dice < 0.98) await cluster.remove(poolPath("IPPool", `${prefix}${pool}`));
          else await createPool(pool);
        }

        const agents = makeFakeAgents(cluster, 400);
        async function forever(work: () => Promise<void>, pauseMs: number): Promise<void> {
          while (!isOver()) {
            await work().catch(() => {});
            await sleep(pauseMs * random() * 2);
          }
        }
        await createPool("a");
        await createPool("b");
        const all = [keepRunning(0), keepRunning(1), stopAndGo(), forever(act, 60)];
        const draining = new AbortController();
        const drains = (async () => {
          while (!draining.signal.aborted) {
            await agents().catch(() => {});
            await sleep(100);
          }
        })();
        await sleep(seconds * 1000);

        // The cluster comes to rest: every Node has one block of each pool that selects it.
        ending.abort();
        for (const proxy of proxies) proxy.set(noFaults);
        for (const one of current) one?.kill("SIGKILL");
        await Promise.all(all);
        for (const name of Object.keys(pools)) {
          await until(
            async () =>
              !(await cluster.pool("IPPool", `${prefix}${name}`))?.metadata.deletionTimestamp ||
              (await nothingLeft()),
            "pools are settled",
            100,
          ).catch(() => {});
        }
        const last = startController({ kubeconfig: cluster.kubeconfig });
        current[0] = last;
        const wrong = async () => {
          const found: string[] = [];
          const nodes = await cluster.client.list(
            "/api/v1/nodes",
            (item) => item as { metadata: { name: string; uid: string; labels?: Record<string, string> } },
          );
          const blocks = await cluster.blocks();
          for (const pool of Object.keys(pools)) {
            const there = await cluster.pool("IPPool", `${prefix}${pool}`);
            if (there?.metadata.deletionTimestamp) found.push(`${prefix}${pool} is still being deleted`);
            for (const { metadata } of nodes.filter((node) => node.metadata.name.startsWith(`${prefix}-`))) {
              const own = blocks.filter(
                ({ spec }) => spec.pool.name === `${prefix}${pool}` && spec.nodeUID === metadata.uid,
              );
              const wanted = there && metadata.labels?.[pool] !== undefined ? 1 : 0;
              if (own.length !== wanted)
                found.push(`${metadata.name} has ${own.length} blocks of ${pool}, not ${wanted}`);
              const shown =
                (await cluster.annotation(metadata.name, `${prefix}${pool}`))?.blocks.map(
                  ({ name }) => name,
                ) ?? [];
              if (shown.join() !== own.map(({ metadata }) => metadata.name).join())
                found.push(`${metadata.name} shows ${shown.join()} of ${pool}`);
            }
          }
          return found;
        };
        async function nothingLeft() {
          return (await cluster.blocks()).length === 0;
        }
        let left: string[] = [];
        await until(
          async () => {
            left = await wrong();
            return left.length === 0;
          },
          "the cluster is at rest",
          30_000,
        ).catch((error: Error) => {
          throw new Error(
            `${error.message}: ${left.join("; ")}\n${JSON.stringify(last.lines().slice(-20), undefined, 1)}`,
          );
        });
        draining.abort();
        await drains;
        await last.stop();
        await sleep(300);
        await observer.stop();
        const { revisions } = observer;
        const count = (kind: string) => revisions.filter((one) => one.kind === kind).length;
        const happened = proxies.map(({ counts }) => JSON.stringify(counts)).join(" ");
        console.log(
          `faults: ${count("Node")} revisions of Nodes, ${count("NodeBlock")} of NodeBlocks, ${restarts} restarts, ${happened}`,
        );
        expect(findFaults(revisions, releaseDelayMs)).toEqual([]);
        expect(count("NodeBlock")).toBeGreaterThan(20);
        for (const node of await cluster.client.list(
          "/api/v1/nodes",
          (item) => item as { metadata: { name: string } },
        ))
          await cluster.remove(`/api/v1/nodes/${node.metadata.name}`);
      },
      (seconds + 60) * 1000,
    );
});
