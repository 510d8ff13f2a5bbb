import { placeAllocation } from "../move/read-allocation.ts";
import type { Pool } from "../pool/pool.ts";
import { blocksCarriedBy } from "./carried.ts";
import type { ControllerContext } from "./context.ts";
import type { BlockRecord, PoolRecord } from "./records.ts";
import { lookAtBlock, lookAtNode, patchBlock } from "./resources.ts";

/**
 * Two controllers of both kinds gave at one time: a block that the status contradicts and that its Node was never shown closes, and so goes
 * the usual way. One that its Node was shown stays: that doubt is a person's.
 */
export async function yieldBlocks(
  context: ControllerContext,
  key: string,
  record: PoolRecord,
  pool: Pool,
): Promise<void> {
  const placed = (record.served?.allocations ?? []).flatMap((one) => {
    const found = placeAllocation(pool, one);
    return "doubt" in found ? [] : [found];
  });
  const nodeAt = new Map(placed.map(({ index, nodeName }) => [index, nodeName]));
  const placeOf = new Map(placed.map(({ index, nodeName }) => [nodeName, index]));
  const isContradicted = ({ index, nodeName, closing }: BlockRecord) =>
    !closing && ((nodeAt.get(index) ?? nodeName) !== nodeName || (placeOf.get(nodeName) ?? index) !== index);
  for (const { name, nodeName } of context.cluster.blocksOfPool(key).filter(isContradicted)) {
    const node = await lookAtNode(context, nodeName);
    const block = await lookAtBlock(context, name);
    if (!node || !block || blocksCarriedBy(node).has(name)) continue;
    await patchBlock(context, block, { spec: { closing: true } });
    context.queue.add(`node/${nodeName}`);
    context.log.info("block closing", {
      block: name,
      node: nodeName,
      why: "nv-ipam's status says otherwise, and its Node was not shown it",
    });
  }
}
