import type { Span } from "../address/range.ts";
import { nodeBlockName } from "../api/pool-names.ts";
import { spanOfBlock } from "../pool/grid.ts";
import { poolKey } from "../pool/plan.ts";
import { createPlanner, type Planner, type Shortage } from "../pool/planner.ts";
import type { Pool } from "../pool/pool.ts";
import { readPool, type UnfitPool } from "../pool/read-pool.ts";
import type { BlockRecord, NodeRecord, PoolRecord } from "./records.ts";

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
  /** Names of blocks that a Node holds and the API server doesn't know, with the Node's name: nothing new is given meanwhile. */
  missing: Map<string, string>;
  /** What it overlaps with, for people; nothing new is given then. */
  overlap: string | undefined;
};

type Placing = { key: string; index: bigint };

/**
 * The cluster as lists, watches and our own writes have it: may be late, and then only costs requests. Every recorded block is occupied
 * in its pool's planner.
 */
export class Cluster {
  readonly nodes = new Map<string, NodeRecord>();
  readonly pools = new Map<string, PoolEntry>();
  readonly blocks = new Map<string, BlockRecord>();
  readonly #ofNode = new Map<string, Set<string>>();
  readonly #ofPool = new Map<string, Set<string>>();
  /** Names that are being created now, by which they are occupied. */
  readonly #placing = new Map<string, Placing>();

  blocksOfNode(name: string): BlockRecord[] {
    return this.#named(this.#ofNode.get(name));
  }

  blocksOfPool(key: string): BlockRecord[] {
    return this.#named(this.#ofPool.get(key));
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
    const key = poolKey(record);
    const before = this.pools.get(key);
    if (before && isOlder(record, before.record)) return false;
    if (before && decisiveOf(before.record) === decisiveOf(record)) {
      before.record = record;
      return false;
    }
    const { kind, name, uid, spec, status } = record;
    const read = readPool({ kind, name, uid, spec, ...(status.grid && { frozen: status.grid }) });
    const entry: PoolEntry = {
      ...{ key, record, unplaced: new Map(), overlap: before?.overlap },
      missing: before?.missing ?? new Map(),
      ...("pool" in read ? { pool: read.pool, unfit: undefined } : { pool: undefined, unfit: read }),
      planner: "pool" in read ? createPlanner(read.pool) : undefined,
    };
    for (const block of this.blocksOfPool(key)) entry.planner?.occupy(block);
    for (const { key: of, index } of this.#placing.values())
      if (of === key && entry.pool) entry.planner?.occupy(claimOf(entry.pool, index));
    this.pools.set(key, entry);
    return true;
  }

  dropPool(key: string, version: string): boolean {
    const before = this.pools.get(key);
    if (!before || isOlder({ version }, before.record)) return false;
    return this.pools.delete(key);
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
  place(entry: PoolEntry, node: NodeRecord): { name: string; span: Span; index: bigint } | { why: Shortage } {
    const { pool, planner, key } = entry;
    if (!pool || !planner) throw new Error(`${key} can't be planned with`);
    const placed = planner.place(node);
    if ("why" in placed) return placed;
    const name = nodeBlockName(pool, placed.index);
    this.#placing.set(name, { key, index: placed.index });
    return { name, index: placed.index, span: spanOfBlock(pool.grid, placed.index) };
  }

  /** Whatever came of it: where a block of that name is known by now, it keeps its place, else it is free again. */
  settle(name: string): void {
    const placing = this.#placing.get(name);
    if (!placing) return;
    this.#placing.delete(name);
    const entry = this.pools.get(placing.key);
    if (entry?.pool) entry.planner?.release(claimOf(entry.pool, placing.index));
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
    this.pools.get(key)?.planner?.occupy(block);
  }

  #forget(block: BlockRecord): void {
    const key = poolKey(block.pool);
    this.blocks.delete(block.name);
    removeFrom(this.#ofNode, block.nodeName, block.name);
    removeFrom(this.#ofPool, key, block.name);
    this.pools.get(key)?.planner?.release(block);
  }
}

/** Versions of one server are numbers that grow; what isn't a number is never older. */
export function isOlder(one: { version: string }, other: { version: string }): boolean {
  return Number(one.version) < Number(other.version);
}

function claimOf(pool: Pool, index: bigint) {
  return { index, span: spanOfBlock(pool.grid, index) };
}

function decisiveOf({ uid, generation, deleting, rebuilt, status, spec }: PoolRecord): string {
  return JSON.stringify([uid, generation, deleting, rebuilt, status.grid, generation === 0 ? spec : undefined]);
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
