import { movedFromKey, poolFinalizer, poolGridKey } from "../api/nv-ipam.ts";
import { poolKey } from "../api/pool-names.ts";
import { isStatus } from "../kube/api-error.ts";
import { eachAtOnce } from "../kube/at-once.ts";
import { planClaims } from "../move/plan-claims.ts";
import { formatGrid } from "../move/pool-grid.ts";
import type { Pool } from "../pool/pool.ts";
import { isObject } from "../text/json.ts";
import { documentOf } from "./block-document.ts";
import type { ControllerContext } from "./context.ts";
import { patchPool } from "./patch-pool.ts";
import type { PoolRecord } from "./records.ts";
import { readBlockRecord } from "./records.ts";
import { lookAtBlock, lookAtNode, paths } from "./resources.ts";
import { writeAllocations } from "./write-allocations.ts";
import { yieldBlocks } from "./yield-blocks.ts";

const atOnce = 16;
/** A status says whatever somebody wrote. */
const isName = /^[a-z0-9][a-z0-9.-]*$/;

/**
 * Makes what a pool of the served group records into NodeBlocks, all of it or nothing: before the first, its grid is frozen. Only once its
 * status is ours is something new given; so it can be killed anywhere, and begins again.
 */
export async function importPool(context: ControllerContext, key: string): Promise<void> {
  const { cluster, log } = context;
  const { pairs, serving } = cluster;
  const record = pairs.served(key);
  if (!record?.served || serving.held !== undefined) return;
  if (record.served.isOurs) serving.doubts.delete(key);
  else {
    await lookForNodes(context, record);
    const { pool, doubts, create } = plan(context, record);
    if (!pool) return;
    setDoubts(context, key, doubts);
    if (doubts.length > 0) return await yieldBlocks(context, key, record, pool);
    const counts = pairs.counting(key) === record;
    const ready = counts ? await freeze(context, record, pool) : record;
    await claimAll(context, pool, create);
    await writeAllocations(context, ready);
    log.info("a pool's allocations are NodeBlocks now", { pool: key, made: create.length });
    return;
  }
  // Made again by a way back, with allocations that are ours already.
  const { pool } = cluster.pools.get(key) ?? {};
  if (pool && pairs.counting(key) === record && !record.deleting) await freeze(context, record, pool);
}

/** One that isn't known may have come just now: without its UID its block would be that of a Node that is gone. */
async function lookForNodes(context: ControllerContext, { served }: PoolRecord): Promise<void> {
  const { cluster, queue } = context;
  const unknown = new Set(
    (served?.allocations ?? []).flatMap((one) => {
      const name = isObject(one) ? one["nodeName"] : undefined;
      return typeof name === "string" && isName.test(name) && !cluster.nodes.has(name) ? [name] : [];
    }),
  );
  await eachAtOnce([...unknown], atOnce, async (name) => {
    if (await lookAtNode(context, name)) queue.add(`node/${name}`);
  });
}

function plan({ cluster }: ControllerContext, record: PoolRecord) {
  const { pairs, nodes } = cluster;
  const key = poolKey(record);
  const own = pairs.own(key);
  return planClaims(record.served as NonNullable<PoolRecord["served"]>, {
    nodes,
    blocks: cluster.blocksOfPool(key).map(({ name, pool, nodeName, closing }) => ({
      ...{ apiVersion: "", kind: "NodeBlock" as const, metadata: { name } },
      spec: { pool, index: "", first: "", last: "", nodeName, nodeUID: "", ...(closing && { closing }) },
    })),
    own: own ? [{ ...own, annotations: { [movedFromKey]: own.before.join(",") } }] : [],
  });
}

function setDoubts({ cluster, log }: ControllerContext, key: string, doubts: string[]): void {
  const before = cluster.serving.doubts.get(key) ?? [];
  cluster.serving.doubts.set(key, doubts);
  if (before.join() === doubts.join()) return;
  for (const doubt of doubts) log.error("an allocation is in doubt", { pool: key, reason: doubt });
}

/** Finalizer and grid, in one write that only the object takes that was planned with. */
async function freeze(context: ControllerContext, record: PoolRecord, pool: Pool): Promise<PoolRecord> {
  const finalizers = record.finalizers.includes(poolFinalizer)
    ? record.finalizers
    : [...record.finalizers, poolFinalizer];
  const annotations = record.status.grid ? {} : { [poolGridKey]: JSON.stringify(formatGrid(pool)) };
  if (finalizers === record.finalizers && record.status.grid) return record;
  return await patchPool(context, record, { metadata: { finalizers, annotations } });
}

/** A name that is taken meanwhile is looked at, and all is planned anew. */
async function claimAll(
  context: ControllerContext,
  pool: Pool,
  create: ReturnType<typeof plan>["create"],
): Promise<void> {
  const { client, cluster, metrics, queue } = context;
  let taken = 0;
  await eachAtOnce(create, atOnce, async (block) => {
    try {
      const made = readBlockRecord(await client.create(paths.blocks, documentOf(pool, block, true)));
      if (made) cluster.putBlock(made);
      queue.add(`node/${block.spec.nodeName}`);
      metrics.writes.inc({ what: "block" });
    } catch (error) {
      if (!isStatus(error, 409)) throw error;
      await lookAtBlock(context, block.metadata.name);
      taken++;
    }
  });
  if (taken > 0) throw new Error(`${taken} NodeBlocks were made meanwhile by somebody else`);
}
