import { formatIp } from "../address/ip.ts";
import { poolFinalizer } from "../api/nv-ipam.ts";
import { poolKey } from "../api/pool-names.ts";
import type { PoolStatus } from "../api/pool-status.ts";
import type { Pool } from "../pool/pool.ts";
import type { ControllerContext } from "./context.ts";
import { countPool } from "./count-pool.ts";
import { finishOther } from "./finish-other.ts";
import { importPool } from "./import-pool.ts";
import { markSetBack } from "./mark-set-back.ts";
import { mayGive } from "./may-give.ts";
import { patchPool } from "./patch-pool.ts";
import { conditionsFor, judgePool } from "./pool-condition.ts";
import type { PoolEntry } from "./pool-entry.ts";
import { owns } from "./pool-pairs.ts";
import { type BlockRecord, readBlockRecord } from "./records.ts";
import { paths } from "./resources.ts";
import { tellAllocations } from "./write-allocations.ts";

/** Makes a pool ready to be given from, ends it where it is deleted, and says in its status how it stands. */
export async function reconcilePool(context: ControllerContext, key: string): Promise<void> {
  const { cluster } = context;
  await finishPool(context, key);
  await finishOther(context, key);
  await context.surroundings.compare();
  await preparePool(context, key);
  await importPool(context, key);
  await context.surroundings.compare();
  const entry = cluster.pools.get(key);
  if (!entry) return;
  wakeNodes(context, entry);
  await tellStatus(context, entry);
  await tellAllocations(context, key);
  wakeWaiting(context, key);
}

/** The finalizer and the frozen grid come before the first block. */
async function preparePool(context: ControllerContext, key: string): Promise<void> {
  const { cluster, log } = context;
  const entry = cluster.pools.get(key);
  if (!entry?.pool || entry.record.deleting || entry.record.served) return;
  const { record, pool } = entry;
  if (!record.finalizers.includes(poolFinalizer))
    await patchPool(context, record, { metadata: { finalizers: [...record.finalizers, poolFinalizer] } });
  const now = cluster.pools.get(key)?.record;
  if (!now || now.uid !== record.uid || now.generation !== record.generation || now.status.grid) return;
  await patchPool(context, now, { status: { grid: gridOf(pool) } }, "/status");
  log.info("the pool's grid is frozen", { pool: key, ...gridOf(pool) });
}

function gridOf({ grid: { family, first, size } }: Pool): NonNullable<PoolStatus["grid"]> {
  return { first: formatIp({ family, value: first }), size: String(size) };
}

/** A deleted pool goes once the API server, asked now, has no NodeBlock of it. */
async function finishPool(context: ControllerContext, key: string): Promise<void> {
  const { cluster, client, log } = context;
  const record = cluster.pools.get(key)?.record;
  if (!record?.deleting || !record.finalizers.includes(poolFinalizer)) return;
  if (cluster.blocksOfPool(key).some((block) => owns(record, block.pool.uid))) return;
  const left = await client.list<BlockRecord>(paths.blocks, (item) => {
    const block = readBlockRecord(item);
    return block && isOf(block, key) && owns(record, block.pool.uid) ? block : undefined;
  });
  for (const block of left) cluster.putBlock(block);
  if (left.length > 0) return;
  await patchPool(context, record, {
    metadata: { finalizers: record.finalizers.filter((one) => one !== poolFinalizer) },
  });
  log.info("a deleted pool is free of blocks, and goes", { pool: key });
}

/** Nodes whose blocks may be in the status now; those that aren't wait again. */
function wakeWaiting({ cluster: { serving }, queue }: ControllerContext, key: string): void {
  for (const name of serving.waiting.get(key) ?? []) queue.add(`node/${name}`);
  serving.waiting.delete(key);
}

function isOf({ pool }: BlockRecord, key: string): boolean {
  return poolKey(pool) === key;
}

/** Once a pool gives again, or has room again, its Nodes are looked at. */
function wakeNodes({ cluster, queue }: ControllerContext, entry: PoolEntry): void {
  const may = mayGive(cluster, entry);
  if (may && !entry.gave) for (const name of cluster.nodes.keys()) queue.add(`node/${name}`);
  entry.gave = may;
  let room = may && entry.planner ? entry.planner.free : 0n;
  for (const [name, why] of entry.unplaced) {
    if (!cluster.nodes.has(name)) entry.unplaced.delete(name);
    else if (why === "none free" && room-- > 0n) queue.add(`node/${name}`);
  }
}

/** Written only where it differs, and not again within the status' interval. */
async function tellStatus(context: ControllerContext, entry: PoolEntry): Promise<void> {
  const { cluster, config, queue, events } = context;
  const { key, record } = entry;
  const verdict = judgePool(cluster, entry);
  events.pool(record, verdict);
  if (record.served) return await markSetBack(context, entry);
  const status: PoolStatus = {
    ...record.status,
    ...countPool(cluster, entry),
    conditions: conditionsFor(entry, verdict, new Date()),
    observedGeneration: record.generation,
  };
  if (isSame(status, record.status)) return;
  const waitMs = entry.toldAt + config.statusIntervalMs - performance.now();
  if (waitMs > 0) return queue.addLater(`pool/${key}`, waitMs);
  entry.toldAt = performance.now();
  await patchPool(context, record, { status }, "/status");
}

function isSame(one: PoolStatus, other: PoolStatus): boolean {
  return canonical(one) === canonical(other);
}

/** The API server gives keys in the order of the alphabet, whatever order they came in. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    inner !== null && typeof inner === "object" && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
