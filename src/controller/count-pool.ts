import type { PoolStatus } from "../api/pool-status.ts";
import { countAddressesOf } from "../pool/block-addresses.ts";
import type { Cluster } from "./cluster.ts";
import type { PoolEntry } from "./pool-entry.ts";

export type Counts = Required<Pick<PoolStatus, "blocks" | "addresses">>;

/** A pool's blocks, and the addresses for pods of those that are given. Undefined where it can't be planned with. */
export function countPool(cluster: Cluster, { key, pool, planner }: PoolEntry): Counts | undefined {
  if (!pool || !planner) return undefined;
  let [given, closing, used, total] = [0, 0, 0, 0n];
  for (const block of cluster.blocksOfPool(key)) {
    given++;
    if (block.closing) closing++;
    used += block.status.used ?? 0;
    total += countAddressesOf(pool, block);
  }
  const free = total - BigInt(used);
  return {
    blocks: { total: String(planner.total), given, closing, free: String(planner.free) },
    addresses: { total: String(total), used, free: String(free < 0n ? 0n : free) },
  };
}
