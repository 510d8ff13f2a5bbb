import { poolKey } from "../api/pool-names.ts";
import { setBackTime } from "../api/set-back.ts";
import { createPlanner, type Planner, type Shortage } from "../pool/planner.ts";
import type { Pool } from "../pool/pool.ts";
import { readPool, type UnfitPool } from "../pool/read-pool.ts";
import type { PoolRecord } from "./records.ts";

/** A pool with what follows from its spec and from all blocks. */
export type PoolEntry = {
  key: string;
  record: PoolRecord;
  /** Undefined where it can't be planned with; `unfit` says why. */
  pool: Pool | undefined;
  unfit: UnfitPool | undefined;
  planner: Planner | undefined;
  /** Nodes that are selected and got no block. */
  unplaced: Map<string, Shortage>;
  /** Blocks, by name, that a Node holds and the API server doesn't know: nothing new is given meanwhile. */
  missing: Map<string, Missing>;
  /** Whether something new could be given when that was last looked at. */
  gave: boolean;
  /** When its status was last written, by performance.now(). */
  toldAt: number;
  /** What it overlaps with, for people; nothing new is given then. */
  overlap: string | undefined;
  /** Whether that is of this spec. */
  isCompared: boolean;
  /** When etcd was seen to be set back (milliseconds since 1970), as long as nobody said that everything lost is rebuilt. */
  setBackAt: number | undefined;
};

/** Which Node says so, and since when it is known (milliseconds since 1970). */
export type Missing = { node: string; since: number };

/** What is known of a pool anew. What isn't of its spec stays as it was; its planner has no blocks yet. */
export function makePoolEntry(record: PoolRecord, before: PoolEntry | undefined): PoolEntry {
  const { kind, name, uid, spec, status } = record;
  const read = readPool({ kind, name, uid, spec, ...(status.grid && { frozen: status.grid }) });
  return {
    ...{ key: poolKey(record), record, unplaced: new Map(), overlap: before?.overlap, isCompared: false },
    setBackAt: setBackSince(record, before?.setBackAt),
    missing: before?.missing ?? new Map(),
    gave: false,
    toldAt: before?.toldAt ?? Number.NEGATIVE_INFINITY,
    ...("pool" in read ? { pool: read.pool, unfit: undefined } : { pool: undefined, unfit: read }),
    planner: "pool" in read ? createPlanner(read.pool) : undefined,
  };
}

/** A record that decides nothing new, such as one of counts in its status: the entry stays, with all that it plans. */
export function keepsPoolEntry(entry: PoolEntry, record: PoolRecord): boolean {
  if (decisiveOf(entry.record) !== decisiveOf(record)) return false;
  entry.record = record;
  entry.setBackAt = setBackSince(record, entry.setBackAt);
  return true;
}

/** A person said after it was missed that it may be forgotten. */
export function isForgiven({ record: { rebuilt } }: PoolEntry, { since }: Missing): boolean {
  return rebuilt !== undefined && Date.parse(rebuilt) >= since;
}

function setBackSince({ status, rebuilt }: PoolRecord, known: number | undefined): number | undefined {
  const since = known ?? setBackTime(status);
  return since !== undefined && rebuilt !== undefined && Date.parse(rebuilt) >= since ? undefined : since;
}

function decisiveOf({ uid, before, generation, deleting, rebuilt, status, spec }: PoolRecord): string {
  const isHeld = setBackTime(status) !== undefined;
  return JSON.stringify([
    ...[uid, before, generation, deleting, rebuilt, status.grid, isHeld],
    generation === 0 ? spec : spec["allowOverlap"],
  ]);
}
