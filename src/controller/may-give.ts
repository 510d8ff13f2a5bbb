import { poolFinalizer } from "../api/nv-ipam.ts";
import { type Cluster, isForgiven, type PoolEntry } from "./cluster.ts";

/** Whether something new may be given out of a pool. What keeps it from that is said in its status (pool-condition.ts). */
export function mayGive(cluster: Cluster, entry: PoolEntry): boolean {
  const { record, pool } = entry;
  return (
    pool !== undefined &&
    !record.deleting &&
    record.status.grid !== undefined &&
    record.finalizers.includes(poolFinalizer) &&
    entry.isCompared &&
    entry.overlap === undefined &&
    missingOf(entry).length === 0 &&
    entry.setBackAt === undefined &&
    !cluster.hasForeignBlocks(entry) &&
    cluster.serving.mayGive(entry.key, cluster.pairs.served(entry.key))
  );
}

/** Names of blocks that keep the pool from giving anything: their Nodes hold them, and nobody said that they may be forgotten. */
export function missingOf(entry: PoolEntry): string[] {
  return [...entry.missing].flatMap(([name, missing]) => (isForgiven(entry, missing) ? [] : [name]));
}
