import { heldBlocksKey, parseHeldBlocks } from "../api/held-blocks.ts";
import { nodeBlockName, parseNodeBlockName } from "../api/pool-names.ts";
import { spanOfBlock } from "../pool/grid.ts";
import { poolKey } from "../pool/plan.ts";
import { createPlanner, type Planner, type Shortage } from "../pool/planner.ts";
import type { Pool } from "../pool/pool.ts";
import { readPool, type UnfitPool } from "../pool/read-pool.ts";
import { blocksCarriedBy } from "./carried.ts";
import { owns, PoolPairs } from "./pool-pairs.ts";
import type { BlockRecord, NodeRecord, PoolRecord } from "./records.ts";
import { Serving } from "./serving.ts";

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

/** Where a NodeBlock is to be made, and of which pool as it was planned with. */
export type Place = { name: string; pool: Pool; index: bigint };

type Placing = { key: string; index: bigint };

/**
 * The cluster as lists, watches and our own writes have it: may be late, and then only costs requests. Every recorded block is occupied
 * in its pool's planner.
 */
export class Cluster {
  readonly nodes = new Map<string, NodeRecord>();
  readonly pairs = new PoolPairs();
  readonly serving = new Serving();
  /** Those that count, of `pairs`. */
  readonly pools = new Map<string, PoolEntry>();
  readonly blocks = new Map<string, BlockRecord>();
  readonly #ofNode = new Map<string, Set<string>>();
  readonly #ofPool = new Map<string, Set<string>>();
  /** By pool: how many blocks are of which UID. */
  readonly #uids = new Map<string, Map<string, number>>();
  /** Names that are being created now, by which they are occupied. */
  readonly #placing = new Map<string, Placing>();

  blocksOfNode(name: string): BlockRecord[] {
    return this.#named(this.#ofNode.get(name));
  }

  blocksOfPool(key: string): BlockRecord[] {
    return this.#named(this.#ofPool.get(key));
  }

  countBlocks(key: string): number {
    return this.#ofPool.get(key)?.size ?? 0;
  }

  /** Whether there are blocks of a pool that was there before under the same name. */
  hasForeignBlocks({ key, record }: PoolEntry): boolean {
    return [...(this.#uids.get(key)?.keys() ?? [])].some((uid) => !owns(record, uid));
  }

  /** True where something changed that decides about blocks or annotations: a heartbeat is none. */
  putNode(node: NodeRecord): boolean {
    const before = this.nodes.get(node.name);
    if (before && isOlder(node, before)) return false;
    this.nodes.set(node.name, node);
    return (
      !before ||
      before.uid !== node.uid ||
      !isSame(before.labels, node.labels) ||
      !isSame(before.annotations, node.annotations)
    );
  }

  /** `version` is that of its deletion. */
  dropNode(name: string, version: string): boolean {
    const before = this.nodes.get(name);
    if (!before || isOlder({ version }, before)) return false;
    return this.nodes.delete(name);
  }

  /** True where it is planned with anew, and all its nodes are to be looked at. */
  putPool(record: PoolRecord): boolean {
    return this.pairs.put(record) && this.#renewPool(poolKey(record));
  }

  #renewPool(key: string): boolean {
    const record = this.pairs.counting(key);
    const before = this.pools.get(key);
    if (!record) return this.pools.delete(key);
    if (before && decisiveOf(before.record) === decisiveOf(record)) {
      before.record = record;
      before.setBackAt = setBackSince(record, before.setBackAt);
      return false;
    }
    const { kind, name, uid, spec, status } = record;
    const read = readPool({ kind, name, uid, spec, ...(status.grid && { frozen: status.grid }) });
    const entry: PoolEntry = {
      ...{ key, record, unplaced: new Map(), overlap: before?.overlap, isCompared: false },
      setBackAt: setBackSince(record, before?.setBackAt),
      missing: before?.missing ?? new Map(),
      gave: false,
      toldAt: before?.toldAt ?? Number.NEGATIVE_INFINITY,
      ...("pool" in read ? { pool: read.pool, unfit: undefined } : { pool: undefined, unfit: read }),
      planner: "pool" in read ? createPlanner(read.pool) : undefined,
    };
    for (const block of this.blocksOfPool(key)) entry.planner?.occupy(block);
    for (const { key: of, index } of this.#placing.values())
      if (of === key && entry.pool) entry.planner?.occupy(claimOf(entry.pool, index));
    this.pools.set(key, entry);
    return true;
  }

  /** True where it was known. */
  dropPool(key: string, version: string, isServed = false): boolean {
    if (!this.pairs.drop(key, version, isServed)) return false;
    if (isServed) this.serving.forget(key);
    this.#renewPool(key);
    return true;
  }

  /** What is known of it already, or later things, change nothing: false. */
  putBlock(block: BlockRecord): boolean {
    const before = this.blocks.get(block.name);
    if (before && (isOlder(block, before) || before.version === block.version)) return false;
    if (before && isSameClaim(before, block)) this.blocks.set(block.name, block);
    else {
      if (before) this.#forget(before);
      this.#keep(block);
    }
    return true;
  }

  dropBlock(name: string, version: string): BlockRecord | undefined {
    const before = this.blocks.get(name);
    if (!before || isOlder({ version }, before)) return undefined;
    this.#forget(before);
    return before;
  }

  /** The next index for a node, occupied from here on; `settle` has to be called when its NodeBlock was asked for. */
  place(key: string, node: NodeRecord): Place | { why: Shortage } {
    const { pool, planner } = this.pools.get(key) ?? {};
    if (!pool || !planner) throw new Error(`${key} can't be planned with`);
    const placed = planner.place(node);
    if ("why" in placed) return placed;
    const name = nodeBlockName(pool, placed.index);
    this.#placing.set(name, { key, index: placed.index });
    return { name, pool, index: placed.index };
  }

  /** Whatever came of it: where a block of that name is known by now, it keeps its place, else it is free again. */
  settle(name: string): void {
    const placing = this.#placing.get(name);
    if (!placing) return;
    this.#placing.delete(name);
    this.pools.get(placing.key)?.planner?.release(placing.index);
  }

  /** What the Node says that it holds, and no NodeBlock is there for; false where that is as it was. */
  noteMissing(nodeName: string): boolean {
    const node = this.nodes.get(nodeName);
    const names = node ? [...claimedBy(node)].filter((name) => !this.blocks.has(name)) : [];
    let isNew = false;
    for (const entry of this.pools.values()) {
      const own = new Set(names.filter((name) => keyOfBlock(name) === entry.key));
      for (const [name, { node }] of entry.missing)
        if (node === nodeName && !own.has(name)) isNew = entry.missing.delete(name) || isNew;
      for (const name of own) {
        if (entry.missing.has(name)) continue;
        entry.missing.set(name, { node: nodeName, since: Date.now() });
        isNew = true;
      }
    }
    return isNew;
  }

  #count(key: string, uid: string, change: number): void {
    const uids = this.#uids.get(key) ?? new Map<string, number>();
    this.#uids.set(key, uids);
    const count = (uids.get(uid) ?? 0) + change;
    if (count > 0) uids.set(uid, count);
    else uids.delete(uid);
  }

  #named(names: ReadonlySet<string> | undefined): BlockRecord[] {
    return [...(names ?? [])].map((name) => this.blocks.get(name) as BlockRecord);
  }

  #keep(block: BlockRecord): void {
    const key = poolKey(block.pool);
    this.settle(block.name);
    this.blocks.set(block.name, block);
    addTo(this.#ofNode, block.nodeName, block.name);
    addTo(this.#ofPool, key, block.name);
    this.#count(key, block.pool.uid, 1);
    this.pools.get(key)?.missing.delete(block.name);
    this.pools.get(key)?.planner?.occupy(block);
  }

  #forget(block: BlockRecord): void {
    const key = poolKey(block.pool);
    this.blocks.delete(block.name);
    removeFrom(this.#ofNode, block.nodeName, block.name);
    removeFrom(this.#ofPool, key, block.name);
    this.#count(key, block.pool.uid, -1);
    this.pools.get(key)?.planner?.release(block.index);
  }
}

/** A person said after it was missed that it may be forgotten. */
export function isForgiven({ record: { rebuilt } }: PoolEntry, { since }: Missing): boolean {
  return rebuilt !== undefined && Date.parse(rebuilt) >= since;
}

/** Open blocks that its annotations carry, and those that its agent holds leases of. */
function claimedBy(node: NodeRecord): Set<string> {
  const carried = [...blocksCarriedBy(node).values()].flatMap(({ name, closing }) => (closing ? [] : [name]));
  return new Set([...carried, ...heldBy(node)]);
}

function heldBy({ annotations }: NodeRecord): string[] {
  const text = annotations[heldBlocksKey];
  try {
    return text === undefined ? [] : parseHeldBlocks(text).map(({ name }) => name);
  } catch {
    return [];
  }
}

function keyOfBlock(name: string): string | undefined {
  const pool = parseNodeBlockName(name);
  return pool && poolKey(pool);
}

/** Versions of one server are numbers that grow; what isn't a number is never older. */
function isOlder(one: { version: string }, other: { version: string }): boolean {
  return Number(one.version) < Number(other.version);
}

/** Type of the condition that outlives the controller: etcd was set back, and nobody said yet that everything lost is rebuilt. */
export const setBackCondition = "SetBack";

function setBackSince({ status, rebuilt }: PoolRecord, known: number | undefined): number | undefined {
  const condition = status.conditions?.find(({ type }) => type === setBackCondition);
  const told = condition?.status === "True" ? Date.parse(condition.lastTransitionTime) : undefined;
  const since = known ?? told;
  return since !== undefined && rebuilt !== undefined && Date.parse(rebuilt) >= since ? undefined : since;
}

function claimOf(pool: Pool, index: bigint) {
  return { index, span: spanOfBlock(pool.grid, index) };
}

function decisiveOf({ uid, before, generation, deleting, rebuilt, status, spec }: PoolRecord): string {
  const isHeld = status.conditions?.some(
    ({ type, status: is }) => type === setBackCondition && is === "True",
  );
  return JSON.stringify([
    uid,
    generation,
    deleting,
    rebuilt,
    status.grid,
    isHeld,
    before,
    generation === 0 ? spec : spec["allowOverlap"],
  ]);
}

function isSameClaim(one: BlockRecord, other: BlockRecord): boolean {
  return one.uid === other.uid && one.nodeName === other.nodeName;
}

function isSame(one: Record<string, string>, other: Record<string, string>): boolean {
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => one[key] === other[key]);
}

function addTo(index: Map<string, Set<string>>, key: string, name: string): void {
  const known = index.get(key);
  if (known) known.add(name);
  else index.set(key, new Set([name]));
}

function removeFrom(index: Map<string, Set<string>>, key: string, name: string): void {
  const known = index.get(key);
  known?.delete(name);
  if (known?.size === 0) index.delete(key);
}
