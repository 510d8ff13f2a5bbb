import { judgeBlock } from "../pool/judge-block.ts";
import type { Pool } from "../pool/pool.ts";
import { blocksCarriedBy } from "./carried.ts";
import type { ControllerContext } from "./context.ts";
import { owns } from "./pool-pairs.ts";
import type { BlockRecord, NodeRecord, PoolRecord } from "./records.ts";
import { lookAtBlock, lookAtNode, lookAtPool, patchBlock } from "./resources.ts";
import { NodeChanged } from "./show-blocks.ts";

/**
 * Begins to take back what the Node is not to have any more. A block that closes stays so: what says that it should is asked of the API
 * server first, never of what is known alone.
 */
export async function closeBlocks(context: ControllerContext, node: NodeRecord): Promise<void> {
  const blocks = context.cluster.blocksOfNode(node.name);
  const suspects = blocks.filter((block) => reasonToClose(context, node, block, blocks));
  if (suspects.length === 0) return;
  const live = await lookAtNode(context, node.name);
  if (live?.uid !== node.uid) throw new NodeChanged(`Node ${node.name} is another one, or gone`);
  for (const { name, pool } of suspects) {
    await lookAtPool(context, pool);
    const block = await lookAtBlock(context, name);
    const why = block && reasonToClose(context, live, block, context.cluster.blocksOfNode(node.name));
    if (!why) continue;
    await patchBlock(context, block, { spec: { closing: true } });
    context.metrics.writes.inc({ what: "closing" });
    context.log.info("block closing", { block: name, node: node.name, why });
  }
}

function reasonToClose(
  { cluster }: ControllerContext,
  node: NodeRecord,
  block: BlockRecord,
  all: BlockRecord[],
): string | undefined {
  const entry = cluster.pools.get(`${block.pool.kind}/${block.pool.name}`);
  if (block.closing) return undefined;
  if (!entry || !owns(entry.record, block.pool.uid))
    return cluster.pairs.mayHave(block) ? undefined : "its pool is gone";
  if (block.nodeUID !== node.uid) return "its Node was made again";
  if (entry.record.deleting) return "its pool is being deleted";
  if (!entry.pool) return undefined;
  if (!entry.pool.selects(node)) return "its pool does not select the Node any more";
  const { pool, record } = entry;
  const rivals = all.filter((one) => isRival(pool, record, block, one));
  return rivals.length < 2 || keptOf(node, rivals) === block.name ? undefined : "its Node has another one";
}

/** Both serve the same Node out of the same pool. */
function isRival(pool: Pool, record: PoolRecord, block: BlockRecord, one: BlockRecord): boolean {
  const isOfPool =
    one.pool.kind === record.kind && one.pool.name === record.name && owns(record, one.pool.uid);
  const isLike = isOfPool && one.nodeUID === block.nodeUID && !one.closing;
  return isLike && judgeBlock(pool, one).serves && judgeBlock(pool, block).serves;
}

/** Of several open blocks of a pool the one that the Node carries, else the oldest: two controllers may each have made one. */
function keptOf(node: NodeRecord, rivals: BlockRecord[]): string | undefined {
  const carried = blocksCarriedBy(node);
  const rank = ({ name }: BlockRecord) =>
    carried.get(name)?.closing === undefined && carried.has(name) ? 0 : 1;
  const [kept] = rivals.sort(
    (a, b) => rank(a) - rank(b) || a.created - b.created || (a.index < b.index ? -1 : 1),
  );
  return kept?.name;
}
