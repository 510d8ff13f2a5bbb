import type { CloseReason } from "../pool/judge-node.ts";
import type { ControllerContext } from "./context.ts";
import { judgeBlocks } from "./judge-blocks.ts";
import type { NodeRecord } from "./records.ts";
import { lookAtBlock, lookAtNode, lookAtPool, patchBlock } from "./resources.ts";
import { NodeChanged } from "./show-blocks.ts";

const words: Record<CloseReason, string> = {
  "pool gone": "its pool is gone",
  "pool deleting": "its pool is being deleted",
  "node replaced": "its Node was made again",
  "node unselected": "its pool does not select the Node any more",
  "one too many": "its Node has another one",
};

/**
 * Begins to take back what the Node is not to have any more. A block that closes stays so: what says that it should is asked of the API
 * server first, never of what is known alone.
 */
export async function closeBlocks(context: ControllerContext, node: NodeRecord): Promise<void> {
  const { cluster, metrics, log } = context;
  const suspects = judgeBlocks(cluster, node);
  if (suspects.size === 0) return;
  const live = await lookAtNode(context, node.name);
  if (live?.uid !== node.uid) throw new NodeChanged(`Node ${node.name} is another one, or gone`);
  for (const name of suspects.keys()) {
    const known = cluster.blocks.get(name);
    if (known) await lookAtPool(context, known.pool);
    const block = await lookAtBlock(context, name);
    const why = judgeBlocks(cluster, live).get(name);
    if (!block || !why) continue;
    await patchBlock(context, block, { spec: { closing: true } });
    metrics.writes.inc({ what: "closing" });
    log.info("block closing", { block: name, node: node.name, why: words[why] });
  }
}
