import { closeBlocks } from "./close-blocks.ts";
import type { ControllerContext } from "./context.ts";
import { freeBlocks, keepForGone, keepForReturned } from "./free-blocks.ts";
import { placeBlocks } from "./place-blocks.ts";
import { lookAtBlock, lookAtNode } from "./resources.ts";
import { NodeChanged, showBlocks } from "./show-blocks.ts";

/** Brings a Node's blocks and annotations to what its pools say. Asks nothing of the API server where that is so already. */
export async function reconcileNode(context: ControllerContext, name: string): Promise<void> {
  const { cluster, queue } = context;
  if (!cluster.nodes.has(name) && cluster.blocksOfNode(name).length === 0) return;
  const node = cluster.nodes.get(name) ?? (await lookAtNode(context, name));
  if (!node) return await keepForGone(context, name);
  try {
    await keepForReturned(context, node);
    await lookForMissing(context, name);
    await closeBlocks(context, node);
    const now = cluster.nodes.get(name);
    if (now?.uid !== node.uid) throw new NodeChanged(`Node ${name} is another one, or gone`);
    const made = await placeBlocks(context, now);
    const shown = await showBlocks(context, now, made);
    await freeBlocks(context, shown);
  } catch (error) {
    if (!(error instanceof NodeChanged)) throw error;
    if (!(await lookAtNode(context, name))) cluster.nodes.delete(name);
    queue.add(`node/${name}`);
  }
}

/** What the Node holds and no NodeBlock is known for: it may just have been made. */
async function lookForMissing(context: ControllerContext, name: string): Promise<void> {
  context.cluster.noteMissing(name);
  for (const { missing } of context.cluster.pools.values())
    for (const [block, { node }] of missing) if (node === name) await lookAtBlock(context, block);
}
