import { poolFinalizer } from "../api/nv-ipam.ts";
import { poolKey } from "../api/pool-names.ts";
import type { ControllerContext } from "./context.ts";
import { patchPool } from "./patch-pool.ts";
import { owns } from "./pool-pairs.ts";
import { readBlockRecord } from "./records.ts";
import { paths } from "./resources.ts";

/** A pool that was moved to the other group, or back, goes at once where it is deleted: the one that counts has its blocks. */
export async function finishOther(context: ControllerContext, key: string): Promise<void> {
  const { cluster, client, log } = context;
  const [other, counting] = [cluster.pairs.other(key), cluster.pairs.counting(key)];
  if (!other?.deleting || !other.finalizers.includes(poolFinalizer)) return;
  const isLeft = (uid: string) => owns(other, uid) && !owns(counting, uid);
  if (cluster.blocksOfPool(key).some(({ pool }) => isLeft(pool.uid))) return;
  const left = await client.list(paths.blocks, (item) => {
    const block = readBlockRecord(item);
    return block && poolKey(block.pool) === key && isLeft(block.pool.uid) ? block : undefined;
  });
  if (left.length > 0) return;
  const finalizers = other.finalizers.filter((one) => one !== poolFinalizer);
  await patchPool(context, other, { metadata: { finalizers } });
  log.info("a deleted pool goes: its blocks are those of the other group's", { pool: key });
}
