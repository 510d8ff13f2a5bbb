import { poolKey } from "../api/pool-names.ts";
import type { Part } from "../daemon/part.ts";
import type { Log } from "../host/log.ts";
import { collectGarbage } from "../host/runtime.ts";
import type { Client } from "../kube/client.ts";
import { readNode } from "../kube/node.ts";
import {
  type Claim,
  claimOfPool,
  claimsOfAnnotation,
  claimsOfBlocks,
  claimsOfPodCIDRs,
  claimsOfServices,
} from "../pool/claims.ts";
import { describeOverlap, findOverlaps } from "../pool/overlaps.ts";
import { readAnnotation } from "../survey/node-ranges.ts";
import { readServiceCIDRs } from "../survey/service-cidrs.ts";
import type { Cluster } from "./cluster.ts";
import type { PoolEntry } from "./pool-entry.ts";
import type { Queue } from "./queue.ts";
import type { NodeRecord } from "./records.ts";
import { paths } from "./resources.ts";

/** Who gives addresses beside the pools: podCIDRs, Services, annotations that people wrote. Which pool overlaps with whom. */
export type Surroundings = {
  /** Brings `overlap` of every pool up to date where one of them isn't known; asks the API server the first time. */
  compare(): Promise<void>;
  /** A pool went, or people changed a Node's annotations: looked at again soon. */
  changed(): void;
  part: Part;
};

type Needs = { cluster: Cluster; client: Client; queue: Queue; log: Log };

const lookEveryMs = 1000;
const servicesEveryMs = 600_000;
const readAtOnce = 50;
/** How often, and for how long (milliseconds), a Node without podCIDRs is asked again: they come soon after the Node, or never. */
const looks = 3;
const againAfterMs = 20_000;

export function watchSurroundings({ cluster, client, queue, log }: Needs): Surroundings {
  /** By UID: a Node's never change, once it has them. */
  const podCIDRs = new Map<string, string[]>();
  const empty = new Map<string, { looks: number; at: number }>();
  let services: string[] = [];
  let servicesAt = Number.NEGATIVE_INFINITY;
  let first: Promise<void> | undefined;
  let isOld = false;
  /** How many pools there were: one that went may be seen by whoever deletes it, before the watch tells of it. */
  let judged = 0;

  const isNeeded = () => [...cluster.pools.values()].some(({ pool }) => pool && !pool.allowOverlap);

  async function readAll(): Promise<void> {
    await readServices();
    await client.list(paths.nodes, keep, { pageSize: 200 });
    collectGarbage();
  }

  async function readServices(): Promise<void> {
    const { cidrs } = await readServiceCIDRs(client);
    if (cidrs.join() !== services.join()) isOld = true;
    services = cidrs;
    servicesAt = performance.now();
  }

  function keep(item: unknown): undefined {
    const node = readNode(item);
    if (!node) return;
    const before = podCIDRs.get(node.uid);
    podCIDRs.set(node.uid, node.podCIDRs);
    if (node.podCIDRs.length > 0) {
      empty.delete(node.uid);
      if (!before?.length) isOld = true;
    } else empty.set(node.uid, { looks: (empty.get(node.uid)?.looks ?? 0) + 1, at: performance.now() });
  }

  async function readNew(): Promise<void> {
    const wanted = [...cluster.nodes.values()].filter(({ uid }) => isWanted(uid));
    if (wanted.length > readAtOnce) await client.list(paths.nodes, keep);
    else for (const { name } of wanted) await client.get(`${paths.nodes}/${name}`).then(keep, () => {});
    if (podCIDRs.size > cluster.nodes.size * 2 + 100) forgetGone();
  }

  function isWanted(uid: string): boolean {
    const look = empty.get(uid);
    if (look) return look.looks < looks && performance.now() - look.at > againAfterMs;
    return !podCIDRs.has(uid);
  }

  function forgetGone(): void {
    const there = new Set([...cluster.nodes.values()].map(({ uid }) => uid));
    for (const uid of [...podCIDRs.keys()]) if (!there.has(uid)) podCIDRs.delete(uid);
    for (const uid of [...empty.keys()]) if (!there.has(uid)) empty.delete(uid);
  }

  function claims(): Claim[] {
    const planned = new Set([...cluster.pools.values()].flatMap(({ key, pool }) => (pool ? [key] : [])));
    const nodes = [...cluster.nodes.values()];
    return [
      ...claimsOfBlocks([...cluster.blocks.values()].filter(({ pool }) => !planned.has(poolKey(pool)))),
      ...claimsOfServices(services),
      ...nodes.flatMap(({ name, uid }) => claimsOfPodCIDRs(name, podCIDRs.get(uid) ?? [])),
      ...nodes.flatMap(claimsOfPeople),
    ];
  }

  /** At once for all pools: who comes second depends on the others. */
  function judge(): void {
    isOld = false;
    judged = cluster.pools.size;
    const pools = [...cluster.pools.values()].flatMap(({ pool, record }) =>
      pool ? [claimOfPool(pool, record.created)] : [],
    );
    const found = findOverlaps(pools, claims());
    for (const entry of cluster.pools.values()) {
      const overlap = found.get(entry.key);
      const words = overlap && describeOverlap(`${entry.record.kind} ${entry.record.name}`, overlap);
      if (!entry.isCompared || words !== entry.overlap) queue.add(`pool/${entry.key}`);
      entry.overlap = words;
      entry.isCompared = true;
    }
  }

  let looking: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    looking = looking
      .then(look)
      .catch((error: Error) =>
        log.debug("what pools may overlap with can't be read", { reason: error.message }),
      );
  }, lookEveryMs);

  async function look(): Promise<void> {
    if (!first || !isNeeded()) return;
    await first;
    if (performance.now() - servicesAt > servicesEveryMs) await readServices();
    await readNew();
    if (isOld || judged !== cluster.pools.size) judge();
  }

  return {
    compare: async () => {
      if (everyOne(cluster, ({ isCompared }) => isCompared)) return;
      if (isNeeded()) {
        first ??= readAll();
        await first.catch((error) => {
          first = undefined;
          throw error;
        });
      }
      judge();
    },
    changed: () => {
      isOld = true;
    },
    part: {
      name: "overlaps",
      stop: async () => {
        clearInterval(timer);
        await looking;
      },
      health: () => ({ live: true, ready: true, words: `${podCIDRs.size} Nodes' podCIDRs are known` }),
    },
  };
}

function everyOne(cluster: Cluster, isSo: (entry: PoolEntry) => boolean): boolean {
  return [...cluster.pools.values()].every(isSo);
}

function claimsOfPeople({ name, handMade }: NodeRecord): Claim[] {
  return Object.entries(handMade ?? {}).flatMap(([key, text]) =>
    claimsOfAnnotation(name, key, readAnnotation(name, key, text).ranges),
  );
}
