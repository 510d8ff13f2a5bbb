import { poolKey } from "../api/pool-names.ts";
import { callTime } from "../api/pool-times.ts";
import { blocksCarriedBy } from "./carried.ts";
import type { ControllerContext } from "./context.ts";
import { owns } from "./pool-pairs.ts";
import type { BlockRecord, NodeRecord } from "./records.ts";
import { deleteBlock, lookAtNode, patchBlock } from "./resources.ts";
import { isForgotten } from "./told-blocks.ts";

/** A creationTimestamp has no milliseconds: it may be so much earlier than the truth. */
const wholeSecond = 1000;

/**
 * Deletes blocks that the agent drained and that the Node, asked for after that was known, doesn't carry any more. The block of an
 * earlier Node of that name waits for `blockReleaseDelay` as well: it may have been another machine, which nobody can ask.
 */
export async function freeBlocks(context: ControllerContext, node: NodeRecord): Promise<void> {
  const drained = context.cluster
    .blocksOfNode(node.name)
    .filter(({ closing, status }) => closing && status.drained);
  const due = drained.filter((block) => {
    const waitMs = block.nodeUID === node.uid ? 0 : leftOf(context, block, node.created + wholeSecond);
    if (waitMs > 0) later(context, node.name, waitMs);
    return waitMs <= 0;
  });
  if (due.length === 0) return;
  const live = await lookAtNode(context, node.name);
  if (live?.uid !== node.uid) return context.queue.add(`node/${node.name}`);
  const carried = blocksCarriedBy(live);
  for (const block of due) {
    if (carried.has(block.name)) context.queue.add(`node/${node.name}`);
    // Of nv-ipam's pool: its status is written without the block first.
    else if (!isForgotten(context.cluster, block))
      context.cluster.serving.wait(poolKey(block.pool), node.name);
    else await free(context, block, "drained");
  }
}

/**
 * The Node is gone, as the API server said just now. Its blocks are kept for `blockReleaseDelay` from when that was first seen: a node
 * that is cut off stops using them before (`holdsFor`).
 */
export async function keepForGone(context: ControllerContext, name: string): Promise<void> {
  for (const block of context.cluster.blocksOfNode(name)) {
    const { nodeGoneAt } = block.status;
    if (nodeGoneAt === undefined) {
      await patchBlock(context, block, { status: { nodeGoneAt: new Date().toISOString() } }, "/status");
      context.log.info("block kept: its Node is gone", { block: block.name, node: name });
      later(context, name, leftOf(context, block, Date.now()));
      continue;
    }
    const waitMs = leftOf(context, block, Date.parse(nodeGoneAt));
    if (waitMs > 0) later(context, name, waitMs);
    else await free(context, block, "its Node was gone for long enough");
  }
}

/** A Node of that name is there (again): what was said of its going is taken back. */
export async function keepForReturned(context: ControllerContext, node: NodeRecord): Promise<void> {
  for (const block of context.cluster.blocksOfNode(node.name)) {
    if (block.status.nodeGoneAt === undefined) continue;
    if (!(await lookAtNode(context, node.name))) return context.queue.add(`node/${node.name}`);
    await patchBlock(context, block, { status: { nodeGoneAt: null } }, "/status");
  }
}

async function free(context: ControllerContext, block: BlockRecord, why: string): Promise<void> {
  await deleteBlock(context, block);
  context.metrics.writes.inc({ what: "delete" });
  context.log.info("block free", { block: block.name, node: block.nodeName, why });
}

/** Milliseconds until a block may be given to others; for ever where its pool's spec is invalid, as that frees nothing. */
function leftOf(
  { cluster }: ControllerContext,
  { pool, releaseDelay, holdsFor = 0 }: BlockRecord,
  since: number,
): number {
  const entry = cluster.pools.get(poolKey(pool));
  const delay = owns(entry?.record, pool.uid) ? entry?.pool?.releaseDelay : releaseDelay;
  if (delay === undefined || Number.isNaN(delay) || Number.isNaN(since)) return Number.POSITIVE_INFINITY;
  // A delay that was shortened since doesn't shorten what the node was told.
  const told = holdsFor > 0 ? holdsFor + callTime : 0;
  return since + Math.max(delay, told) * 1000 - Date.now();
}

/** No timer for what never comes; and looked at again at least once an hour, since delays may be changed. */
function later({ queue }: ControllerContext, name: string, waitMs: number): void {
  if (Number.isFinite(waitMs)) queue.addLater(`node/${name}`, Math.min(waitMs + 10, 3_600_000));
}
