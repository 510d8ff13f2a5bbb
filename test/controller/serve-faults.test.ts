// nv-ipam's pools while controllers of both kinds come and go: two of ours, killed at any call, with late and lost requests, and the old one,
// which takes its Lease now and then and gives by itself. No Node changes its block, none is twice, none is lost. FAULTS_SEED=N repeats it.
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { NodeBlock } from "../../src/api/node-block.ts";
import { parsePoolAnnotation } from "../../src/api/pool-annotation.ts";
import { poolOfAnnotationKey } from "../../src/api/pool-names.ts";
import { follow } from "../../src/kube/follow.ts";
import { makeRandom, seed, soak } from "../faults/parts/effort.ts";
import { createNvIpamPool, installNvIpamResources, nvIpamPath } from "../parts/nv-ipam-resources.ts";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { startController } from "./parts/controller.ts";
import { makeFakeAgents } from "./parts/fake-agents.ts";
import { allocateFirstFit, leadOnce, type NumberedPool } from "./parts/old-controller.ts";
import { type Node, type PoolCluster, startPoolCluster, until } from "./parts/pool-cluster.ts";
import { tossControllers } from "./parts/tossed-controllers.ts";
import type { NvAllocation, NvObject } from "./parts/worked-examples.ts";

const reason = reasonForNoRealApiServer();
const lack = whatLacks(reason === undefined ? {} : { missing: reason });
const rounds = soak ? Number(process.env["SOAK_MINUTES"] ?? 5) * 6 : 3;
const faults = { killed: 0.02, dropped: 0.04, refused: 0.03, delayed: 0.25, delay: 100 };
const settleMs = 4000;
const serve = ["--serve-group=nv-ipam.nvidia.com"];

const pools: NumberedPool[] = [
  {
    kind: "IPPool",
    name: "flat",
    spec: { subnet: "10.201.0.0/20", perNodeBlockSize: 4, gateway: "10.201.0.1" },
    allocation: (nodeName, index) => {
      const ip = (offset: number) => `10.201.${offset >> 8}.${offset & 255}`;
      return { nodeName, startIP: ip(1 + index * 4), endIP: ip(4 + index * 4) };
    },
  },
  {
    kind: "CIDRPool",
    name: "cut",
    spec: { cidr: "10.202.0.0/16", perNodeNetworkPrefix: 26, gatewayIndex: 1 },
    allocation: (nodeName, index) => {
      const ip = (offset: number) => `10.202.${offset >> 8}.${offset & 255}`;
      return { nodeName, prefix: `${ip(index * 64)}/26`, gateway: ip(index * 64 + 1) };
    },
  },
];

const textOf = ({ startIP, endIP, prefix, gateway }: NvAllocation) =>
  prefix === undefined ? `${startIP}-${endIP}` : `${prefix} ${gateway}`;

function openBlocksOf({ metadata: { annotations = {} } }: Node): string[] {
  return Object.entries(annotations).flatMap(([key, text]) =>
    poolOfAnnotationKey(key)
      ? parsePoolAnnotation(text).blocks.flatMap(({ name, closing }) => (closing ? [] : [name]))
      : [],
  );
}

function isOf({ spec }: NodeBlock, { kind, name }: NumberedPool): boolean {
  return spec.pool.kind === kind && spec.pool.name === name;
}

/** By Node what its readers take: its first; a block that closes stands behind. */
function firstOfEach(now: NvAllocation[]): Map<string, string> {
  return new Map(now.toReversed().map((one) => [one.nodeName, textOf(one)]));
}

/** What a revision of a pool's status says that must not be, after the one before. */
function findFaults(pool: string, before: Map<string, string>, now: NvAllocation[]): string[] {
  const said = firstOfEach(now);
  return [
    ...(new Set(now.map(textOf)).size < now.length ? [`${pool}: a block is twice`] : []),
    ...[...before].flatMap(([node, text]) =>
      said.get(node) === text ? [] : [`${pool}: ${node} had ${text}, and has ${said.get(node) ?? "none"}`],
    ),
  ];
}

describe.skipIf(lack.some)(`nv-ipam's pools under faults, FAULTS_SEED=${seed}${lack.words}`, () => {
  let cluster: PoolCluster;
  beforeEach(async () => {
    cluster = await startPoolCluster();
    await installNvIpamResources(cluster.client);
  }, 90_000);
  afterEach(async () => await cluster?.close());

  it(
    "no Node's block changes, is twice or is lost, whoever gives",
    async () => {
      const { client } = cluster;
      const random = makeRandom(seed);
      let count = 0;
      const addNodes = async (most: number) => {
        for (let left = Math.ceil(random() * most); left > 0; left--)
          await cluster.createNode(`n${String((count++ * 37) % 1000).padStart(3, "0")}`);
      };
      for (let i = 0; i < 4; i++) await addNodes(10);
      const first = await client.list(
        "/api/v1/nodes",
        (item) => (item as { metadata: { name: string } }).metadata.name,
      );
      for (const pool of pools) {
        const recorded = first.filter(() => random() < 0.7).sort(() => random() - 0.5);
        // As nodes came one by one: not in the order of their names.
        const allocations = recorded.reduce<NvAllocation[]>(
          (all, name) => allocateFirstFit(pool, all, [name]),
          [],
        );
        await createNvIpamPool(client, pool.kind, pool.name, pool.spec, allocations);
      }
      const found: string[] = [];
      const said = new Map<string, Map<string, string>>();
      const ending = new AbortController();
      /** By the block's name: the Node that was shown it open. */
      const shownTo = new Map<string, string>();
      const drained = new Set<string>();
      const nodeWatch = follow<Node>(
        client,
        {
          path: "/api/v1/nodes",
          pick: (item) => item as Node,
          onObject: (node) => {
            for (const name of node ? openBlocksOf(node) : []) {
              const before = shownTo.get(name) ?? node?.metadata.name;
              if (before !== node?.metadata.name)
                found.push(
                  `${name} was shown to ${before} and ${node?.metadata.name}${drained.has(name) ? ", drained between" : ""}`,
                );
              shownTo.set(name, node?.metadata.name ?? "");
            }
          },
          onTrouble: () => {},
        },
        ending.signal,
      );
      const agents = makeFakeAgents(cluster, 200, drained);
      const agentsEnd = (async () => {
        while (!ending.signal.aborted) {
          await agents().catch(() => {});
          await sleep(200);
        }
      })();
      const watches = pools.map(({ kind, name }) =>
        follow<NvObject>(
          client,
          {
            path: nvIpamPath(kind),
            pick: (item) => item as NvObject,
            onChange: (all) => {
              const now = [...all.values()][0]?.status?.allocations ?? [];
              found.push(...findFaults(name, said.get(name) ?? new Map(), now));
              said.set(name, firstOfEach(now));
            },
            onTrouble: () => {},
          },
          ending.signal,
        ),
      );
      const tossed = tossControllers(cluster, { random, faults, elects: false, stops: false, args: serve });
      for (let round = 0; round < rounds; round++) {
        for (let i = 0; i < 4; i++) {
          await addNodes(4);
          await sleep(random() * 1500);
        }
        await leadOnce(client, pools, settleMs, async () => await addNodes(4));
      }
      await tossed.end();
      const last = startController({ kubeconfig: cluster.kubeconfig, args: serve });
      try {
        const nodes = await client.list(
          "/api/v1/nodes",
          (item) => (item as { metadata: { name: string } }).metadata.name,
        );
        for (const { kind, name } of pools)
          await until(async () => {
            const all = (await client.get<NvObject>(nvIpamPath(kind, name))).status?.allocations ?? [];
            return new Set(all.map(({ nodeName }) => nodeName)).size === nodes.length;
          }, `all ${nodes.length} Nodes have their block of ${name}`);
        // What two controllers gave one Node at one time may stay a doubt, which is said, and then nothing of that pool is taken over.
        const doubts = ({ kind, name }: NumberedPool) =>
          last
            .lines()
            .filter(({ msg, pool }) => msg === "an allocation is in doubt" && pool === `${kind}/${name}`)
            .map(({ reason }) => String(reason));
        const isSettled = async () => {
          const blocks = await cluster.blocks();
          return pools.every(
            (pool) =>
              doubts(pool).length > 0 ||
              blocks.filter((block) => isOf(block, pool) && !block.spec.closing).length === nodes.length,
          );
        };
        await until(isSettled, "all of them are NodeBlocks, or in doubt");
        await sleep(500);
        const blocks = await cluster.blocks();
        for (const pool of pools.filter((one) => doubts(one).length === 0)) {
          const own = blocks.filter((block) => isOf(block, pool) && !block.spec.closing);
          const claimed = own.map(({ spec }) => textOf(pool.allocation(spec.nodeName, Number(spec.index))));
          expect(claimed.sort()).toEqual([...(said.get(pool.name)?.values() ?? [])].sort());
          expect(own.map(({ spec }) => spec.nodeName).sort()).toEqual(nodes.sort());
          expect(
            [...shownTo.keys()].filter((name) => own.some((block) => block.metadata.name === name)),
          ).toHaveLength(own.length);
        }
        console.log(pools.flatMap(doubts).join("\n"));
        for (const [block, node] of shownTo) {
          const holder = blocks.find(({ metadata }) => metadata.name === block)?.spec.nodeName;
          if (holder !== node) found.push(`${block} was shown to ${node}, and is ${holder}'s`);
        }
        expect(found).toEqual([]);
      } finally {
        last.kill("SIGKILL");
        ending.abort();
        await Promise.all([...watches, nodeWatch, agentsEnd]);
        console.log(`${count} Nodes, ${tossed.story()}`);
      }
    },
    rounds * 20_000 + 60_000,
  );
});
