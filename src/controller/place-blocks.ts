import { isStatus } from "../kube/api-error.ts";
import { draftBlock } from "../pool/block.ts";
import { judgeBlock } from "../pool/judge-block.ts";
import { documentOf } from "./block-document.ts";
import type { ControllerContext } from "./context.ts";
import { mayGive } from "./may-give.ts";
import type { PoolEntry } from "./pool-entry.ts";
import { owns } from "./pool-pairs.ts";
import { type BlockRecord, type NodeRecord, readBlockRecord } from "./records.ts";
import { deleteBlock, holdAll, lookAtBlock, paths } from "./resources.ts";

const tellAfterMs = 50;

/** Gives the Node a block of each pool that selects it and has given it none. The names of those that were made or found just now. */
export async function placeBlocks(context: ControllerContext, node: NodeRecord): Promise<Set<string>> {
  const proven = new Set<string>();
  for (const entry of context.cluster.pools.values()) {
    const isWanting =
      entry.pool?.selects(node) && !entry.record.deleting && !hasOpenBlock(context, entry, node);
    if (!isWanting) entry.unplaced.delete(node.name);
    // It waits: looked at again once the pool gives, however short it was that it didn't.
    else if (!mayGive(context.cluster, entry)) entry.gave = false;
    else {
      const given = await claim(context, entry, node);
      if (given) proven.add(given.name);
    }
  }
  return proven;
}

function hasOpenBlock({ cluster }: ControllerContext, entry: PoolEntry, node: NodeRecord): boolean {
  return cluster.blocksOfNode(node.name).some((block) => isOpenFor(block, entry, node));
}

/** One that has no address left for pods counts for none: the Node gets another. */
function isOpenFor(block: BlockRecord, { record, pool }: PoolEntry, node: NodeRecord): boolean {
  const isItsOwn = owns(record, block.pool.uid) && block.nodeUID === node.uid && !block.closing;
  return isItsOwn && (!pool || judgeBlock(pool, block).serves);
}

/** What is made now has a lower version than what was known before: etcd was set back, and the block may be another Node's already. */
async function takeBackAtOnce(context: ControllerContext, made: BlockRecord): Promise<never> {
  holdAll(context);
  await deleteBlock(context, made);
  throw new Error(`etcd was set back: ${made.name} was not to be given`);
}

/** Creating the NodeBlock is the claim: whose it is, the API server says. */
async function claim(
  context: ControllerContext,
  entry: PoolEntry,
  node: NodeRecord,
): Promise<BlockRecord | undefined> {
  const { cluster, client, log, queue } = context;
  for (;;) {
    const placed = cluster.place(entry.key, node);
    if ("why" in placed) {
      if (!entry.unplaced.has(node.name)) queue.add(`pool/${entry.key}`);
      entry.unplaced.set(node.name, placed.why);
      return undefined;
    }
    const { pool } = placed;
    try {
      const draft = draftBlock(pool, node, placed.index);
      const body = documentOf(pool, draft, entry.record.served !== undefined);
      const latest = cluster.latestBlock;
      const made = readBlockRecord(await client.create(paths.blocks, body));
      if (!made) throw new Error(`the API server made of NodeBlock ${placed.name} something else`);
      cluster.putBlock(made);
      if (Number(made.version) < latest) await takeBackAtOnce(context, made);
      entry.unplaced.delete(node.name);
      // nv-ipam's status has to say it before the Node does: not only once a watch is heard again.
      if (cluster.pairs.served(entry.key)) queue.addLater(`pool/${entry.key}`, tellAfterMs);
      log.info("block given", { block: made.name, node: node.name });
      return made;
    } catch (error) {
      if (!isStatus(error, 409)) throw error;
      const found = await lookAtBlock(context, placed.name);
      if (found && isOpenFor(found, entry, node)) return found;
    } finally {
      cluster.settle(placed.name);
    }
  }
}
