import { nvPoolPath } from "../api/nv-ipam.ts";
import { type PoolKind, poolKinds } from "../api/pool-kind.ts";
import { poolKey, poolPath } from "../api/pool-names.ts";
import type { Health, Part } from "../daemon/part.ts";
import { isStatus } from "../kube/api-error.ts";
import type { Client } from "../kube/client.ts";
import { follow } from "../kube/follow.ts";
import type { ControllerContext } from "./context.ts";
import { lookAtAll, putPool } from "./put-pool.ts";
import {
  type BlockRecord,
  type NodeRecord,
  type PoolRecord,
  readBlockRecord,
  readNodeRecord,
  readPoolRecord,
} from "./records.ts";
import { holdAll, paths } from "./resources.ts";

type Watched<T> = {
  name: string;
  path: string;
  client: Client;
  pick: (item: unknown) => T | undefined;
  /** All there is, at one moment. `isSetBack`: that lies before one that was seen already. */
  onList: (all: T[], isSetBack: boolean) => void;
  onObject: (value: T | undefined, before: T | undefined, version: string) => void;
  /** It may be that nobody serves the path: then there is nothing, and others don't wait for it. */
  isOptional?: boolean;
};

/** Longest silence of a watch, in milliseconds: bookmarks come every minute. */
const longestSilence = 400_000;
const countAfterMs = 50;

/** Keeps what is known of the cluster as it is. `listed` resolves once everything was listed: nothing is decided before. */
export function watchCluster(context: ControllerContext): { part: Part; listed: Promise<void> } {
  const ending = new AbortController();
  const signal = AbortSignal.any([context.signal, ending.signal]);
  const running = [
    watch(context, watchNodes(context), signal),
    ...poolKinds.map((kind) => watch(context, watchPools(context, kind), signal)),
    watch(context, watchBlocks(context), signal),
    ...(context.config.serve
      ? poolKinds.map((kind) => watch(context, watchServed(context, kind), signal))
      : []),
  ];
  const listed = Promise.all(running.map((one) => one.listed)).then(() => {
    for (const name of context.cluster.nodes.keys()) context.cluster.noteMissing(name);
  });
  return {
    listed,
    part: {
      name: "watches",
      stop: async () => {
        ending.abort();
        await Promise.all(running.map((one) => one.done));
      },
      health: () => running.map((one) => one.health()).find(({ ready }) => !ready) ?? fine,
    },
  };
}

const fine: Health = { live: true, ready: true, words: "all are heard" };

function watch<T extends { version: string }>(
  context: ControllerContext,
  { name, path, client, pick, onList, onObject, isOptional }: Watched<T>,
  signal: AbortSignal,
) {
  const { log, heard } = context;
  const { promise: listed, resolve: settle } = Promise.withResolvers<void>();
  let heardAt = Number.NEGATIVE_INFINITY;
  const run = () =>
    follow<T>(
      client,
      {
        path,
        pick,
        noticesSetBack: true,
        onList: (all, isSetBack) => {
          onList([...all.values()], isSetBack);
          if (isSetBack) holdAll(context); // Whichever watch notices: others may have seen nothing since.
          settle();
        },
        onObject,
        onHeard: () => {
          heardAt = performance.now();
          heard.set(name, heardAt);
        },
        onTrouble: (reason) => log.warn("the API server is not heard", { watch: name, reason }),
      },
      signal,
    );
  function onFailure(error: Error): void {
    log.warn("the first list failed", { watch: name, reason: error.message });
    if (!isOptional || !isStatus(error, 404)) return;
    heardAt = performance.now();
    settle();
  }
  return {
    listed,
    done: untilEnded(run, onFailure, signal),
    health: (): Health => {
      const silence = performance.now() - heardAt;
      if (silence < longestSilence) return fine;
      const since = Number.isFinite(silence) ? `for ${Math.round(silence / 1000)} s` : "yet";
      return { live: true, ready: false, words: `${name} were not heard of ${since}` };
    },
  };
}

/** A first list that fails is tried again: CRDs may come later than the controller. */
async function untilEnded(
  run: () => Promise<void>,
  onFailure: (error: Error) => void,
  signal: AbortSignal,
): Promise<void> {
  for (let pauseMs = 500; !signal.aborted; pauseMs = Math.min(pauseMs * 2, 15_000)) {
    try {
      await run();
    } catch (error) {
      if (signal.aborted) return;
      onFailure(error as Error);
      await new Promise((resolve) => setTimeout(resolve, pauseMs * (0.5 + Math.random() / 2)));
    }
  }
}

function watchNodes({ cluster, nodeClient, queue, surroundings }: ControllerContext): Watched<NodeRecord> {
  const look = (name: string) => {
    for (const key of cluster.noteMissing(name)) queue.add(`pool/${key}`); // Its status says so.
    queue.add(`node/${name}`);
  };
  return {
    name: "nodes",
    path: paths.nodes,
    client: nodeClient,
    pick: readNodeRecord,
    onList: (all, isSetBack) => {
      const names = new Set(all.map(({ name }) => name));
      for (const { name, version } of [...cluster.nodes.values()])
        if (isSetBack || !names.has(name)) {
          cluster.dropNode(name, version);
          look(name);
        }
      if (isSetBack) cluster.forgetGone();
      for (const node of all) if (cluster.putNode(node)) look(node.name);
      surroundings.changed();
    },
    onObject: (node, before, version) => {
      const name = node?.name ?? before?.name;
      if (name === undefined) return;
      if (JSON.stringify(node?.handMade) !== JSON.stringify(before?.handMade)) surroundings.changed();
      if (node ? cluster.putNode(node) : cluster.dropNode(name, version)) look(name);
    },
  };
}

function watchServed(context: ControllerContext, kind: PoolKind): Watched<PoolRecord> {
  const watched = watchPools(context, kind, true);
  const namespace = context.config.serve?.namespace ?? "";
  return {
    ...watched,
    name: `served ${watched.name}`,
    path: nvPoolPath(kind, { namespace }),
    isOptional: true,
  };
}

function watchPools(context: ControllerContext, kind: PoolKind, isServed = false): Watched<PoolRecord> {
  const { pairs } = context.cluster;
  const { cluster, queue, events, surroundings } = context;
  const put = (record: PoolRecord) => {
    putPool(context, record);
    queue.add(`pool/${poolKey(record)}`);
  };
  const drop = (key: string, version: string) => {
    if (!cluster.dropPool(key, version, isServed)) return;
    surroundings.changed();
    events.poolGone(key);
    lookAtAll(context, key);
  };
  return {
    name: kind === "IPPool" ? "ippools" : "cidrpools",
    path: poolPath(kind),
    client: context.client,
    pick: (item) => readPoolRecord(kind, item),
    onList: (all, isSetBack) => {
      const keys = new Set(all.map(poolKey));
      for (const record of isServed ? pairs.allServed : pairs.allOwn)
        if (record.kind === kind && (isSetBack || !keys.has(poolKey(record))))
          drop(poolKey(record), record.version);
      if (isSetBack) cluster.forgetGone();
      for (const record of all) put(record);
      if (isServed) pairs.listed.add(kind);
    },
    onObject: (record, before, version) => {
      if (record) put(record);
      else if (before) drop(poolKey(before), version);
    },
  };
}

function watchBlocks(context: ControllerContext): Watched<BlockRecord> {
  const { cluster, queue, client } = context;
  /** Counts and waiting pools hear of our own writes, too, which a list may be the first to show; of many at one time. */
  const count = ({ pool }: BlockRecord) => queue.addLater(`pool/${poolKey(pool)}`, countAfterMs);
  const look = (block: BlockRecord) => {
    queue.add(`node/${block.nodeName}`);
    count(block);
  };
  return {
    name: "nodeblocks",
    path: paths.blocks,
    client,
    pick: readBlockRecord,
    onList: (all, isSetBack) => {
      const names = new Set(all.map(({ name }) => name));
      for (const block of [...cluster.blocks.values()])
        if ((isSetBack || !names.has(block.name)) && cluster.dropBlock(block.name, block.version))
          look(block);
      if (isSetBack) cluster.forgetGone();
      for (const block of all) {
        count(block);
        if (cluster.putBlock(block)) look(block);
      }
    },
    onObject: (block, before, version) => {
      if (block) {
        count(block);
        if (cluster.putBlock(block)) look(block);
        return;
      }
      if (before) count(before);
      const gone = before && cluster.dropBlock(before.name, version);
      if (!gone) return;
      cluster.noteMissing(gone.nodeName);
      look(gone);
    },
  };
}
