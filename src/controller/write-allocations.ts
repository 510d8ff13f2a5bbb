import { type NvAllocation, nvIpamGroup, nvIpamVersion } from "../api/nv-ipam.ts";
import { controllerName, nodeBlockName, poolKey } from "../api/pool-names.ts";
import { formatAllocation } from "../move/format-allocation.ts";
import { placeAllocation } from "../move/read-allocation.ts";
import type { Pool } from "../pool/pool.ts";
import type { ControllerContext } from "./context.ts";
import { isShown } from "./project-node.ts";
import { type BlockRecord, type PoolRecord, readPoolRecord } from "./records.ts";
import { lookAtBlock, lookAtPool, pathOfPool } from "./resources.ts";
import { placeInStatus } from "./told-blocks.ts";
import { isTooLarge } from "./too-large.ts";

const tooLargeAgainMs = 60_000;

/**
 * Brings `status.allocations` of a pool of the served group to its NodeBlocks, closing ones and those of gone Nodes too. Written by
 * server-side apply, so that the API server notes that it is ours, and only to the very object that it was computed for.
 */
export async function writeAllocations(context: ControllerContext, record: PoolRecord): Promise<void> {
  const { cluster, client, metrics } = context;
  const { kind, name, uid, version, served } = record;
  await lookForOmitted(context, record);
  const allocations = allocationsOf(context, record);
  if (!served || !allocations) return;
  if (served.isOurs && JSON.stringify(allocations) === canonical(served.allocations)) return;
  const body = {
    apiVersion: `${nvIpamGroup}/${nvIpamVersion}`,
    kind,
    metadata: { name, namespace: served.namespace, uid, resourceVersion: version },
    status: { allocations },
  };
  const path = `${pathOfPool(record)}/status?fieldManager=${controllerName}&force=true`;
  try {
    const after = readPoolRecord(kind, await client.patch(path, body, "apply"));
    if (after) cluster.putPool(after);
    cluster.serving.tooLargeAt.delete(poolKey(record));
    metrics.writes.inc({ what: "allocations" });
  } catch (error) {
    if (isTooLarge(error)) return noteTooLarge(context, record, allocations.length);
    await lookAtPool(context, record);
    throw error;
  }
}

/** The same on change only, and not again within the status' interval. */
export async function tellAllocations(context: ControllerContext, key: string): Promise<void> {
  const { cluster, config, queue } = context;
  const { serving, pairs } = cluster;
  const record = pairs.served(key);
  if (!record?.served?.isOurs || serving.held !== undefined) return;
  const allocations = allocationsOf(context, record);
  if (!allocations || JSON.stringify(allocations) === canonical(record.served.allocations)) return;
  const pauseMs = serving.tooLargeAt.has(key) ? tooLargeAgainMs : config.statusIntervalMs;
  const waitMs = (serving.writtenAt.get(key) ?? Number.NEGATIVE_INFINITY) + pauseMs - performance.now();
  if (waitMs > 0) return queue.addLater(`pool/${key}`, waitMs);
  serving.writtenAt.set(key, performance.now());
  await writeAllocations(context, record);
}

/** Of all but drained blocks, in nv-ipam's form and order: by Node; its readers take a Node's first, which is its open one. Undefined where the spec can't be planned with. */
function allocationsOf({ cluster }: ControllerContext, record: PoolRecord): NvAllocation[] | undefined {
  const key = poolKey(record);
  const { pool } = cluster.pools.get(key) ?? {};
  if (!pool) return undefined;
  return cluster
    .blocksOfPool(key)
    .filter(isShown)
    .map((block) => ({ block, place: placeInStatus(cluster, block) }))
    .sort(inOrder)
    .map(({ block }) => formatAllocation(pool, block));
}

type Placed = { block: BlockRecord; place: number };

/** Two that are open are one too many, until that is known: what a Node's readers were told stays first. */
function inOrder({ block: a, place }: Placed, { block: b, place: other }: Placed): number {
  if (a.nodeName !== b.nodeName) return a.nodeName < b.nodeName ? -1 : 1;
  return Number(a.closing) - Number(b.closing) || place - other || (a.index < b.index ? -1 : 1);
}

/** What the status says and isn't known as a NodeBlock, or as another Node's, is asked for: it may just have been made. */
async function lookForOmitted(context: ControllerContext, record: PoolRecord): Promise<void> {
  const { cluster } = context;
  const { pool } = cluster.pools.get(poolKey(record)) ?? {};
  for (const one of pool ? (record.served?.allocations ?? []) : []) {
    const placed = placeAllocation(pool as Pool, one);
    if ("doubt" in placed) continue;
    const name = nodeBlockName(record, placed.index);
    if (cluster.blocks.get(name)?.nodeName !== placed.nodeName) await lookAtBlock(context, name);
  }
}

/** As we write it: keys in our order. */
function canonical(allocations: readonly unknown[]): string {
  return JSON.stringify(
    (allocations as Record<string, unknown>[]).map(
      ({ nodeName, startIP, endIP, prefix, gateway, ...others }) => ({
        nodeName,
        ...(startIP !== undefined && { startIP, endIP }),
        ...(prefix !== undefined && { prefix }),
        ...(gateway !== undefined && { gateway }),
        ...others,
      }),
    ),
  );
}

function noteTooLarge({ cluster, log, metrics }: ControllerContext, record: PoolRecord, count: number): void {
  const key = poolKey(record);
  if (!cluster.serving.tooLargeAt.has(key))
    log.error("status.allocations is too large for the API server; NodeBlocks go on", {
      pool: key,
      allocations: count,
    });
  cluster.serving.tooLargeAt.set(key, performance.now());
  metrics.failures.inc({ what: "pool" });
}
