import { poolKey } from "../api/pool-names.ts";
import { type CloseReason, judgeNode, reasonByItself } from "../pool/judge-node.ts";
import { blocksCarriedBy } from "./carried.ts";
import type { Cluster } from "./cluster.ts";
import { owns } from "./pool-pairs.ts";
import type { BlockRecord, NodeRecord, PoolRecord } from "./records.ts";
import { placeInStatus } from "./told-blocks.ts";

/** A Node's blocks that aren't closing yet and shall be, as things are known. Under an invalid spec only what has no part in the spec counts. */
export function judgeBlocks(cluster: Cluster, node: NodeRecord): Map<string, CloseReason> {
  const order = keptFirst(cluster, node);
  const byPool = Map.groupBy(cluster.blocksOfNode(node.name), ({ pool }) => poolKey(pool));
  const close = [...byPool].flatMap(([key, blocks]) => {
    const entry = cluster.pools.get(key);
    const open = blocks.flatMap((block) => (block.closing ? [] : asOwn(cluster, entry?.record, block)));
    if (entry?.pool && !entry.record.deleting) return judgeNode(entry.pool, node, open, order).close;
    return open.flatMap((block) => {
      const why =
        reasonByItself(entry?.record.uid, node, block) ??
        (entry?.record.deleting ? "pool deleting" : undefined);
      return why ? [{ block, why }] : [];
    });
  });
  return new Map(close.map(({ block, why }) => [block.name, why]));
}

/** A block of what the pool was before is its own; one that may be another pool's still is not looked at. */
function asOwn({ pairs }: Cluster, record: PoolRecord | undefined, block: BlockRecord): BlockRecord[] {
  if (record && owns(record, block.pool.uid)) return [{ ...block, pool: { ...block.pool, uid: record.uid } }];
  return pairs.mayHave(block) ? [] : [block];
}

/**
 * Of several open blocks of a pool the one that the Node carries open, else what nv-ipam's status says, else the oldest: two controllers
 * may each have made one.
 */
function keptFirst(cluster: Cluster, node: NodeRecord): (a: BlockRecord, b: BlockRecord) => number {
  let carried: ReturnType<typeof blocksCarriedBy> | undefined;
  const rank = ({ name }: BlockRecord) => {
    carried ??= blocksCarriedBy(node); // Read where there are several, which is seldom.
    return carried.has(name) && !carried.get(name)?.closing ? 0 : 1;
  };
  const place = (block: BlockRecord) => placeInStatus(cluster, block);
  return (a, b) =>
    rank(a) - rank(b) || place(a) - place(b) || a.created - b.created || (a.index < b.index ? -1 : 1);
}
