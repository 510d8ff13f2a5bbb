import { nodeBlockName, parseNodeBlockName, poolKey } from "../api/pool-names.ts";
import { spanOfBlock } from "../pool/grid.ts";
import type { Shortage } from "../pool/planner.ts";
import type { Pool } from "../pool/pool.ts";
import { claimedBy } from "./claimed-by.ts";
import { Graves } from "./graves.ts";
import { KnownBlocks } from "./known-blocks.ts";
import { keepsPoolEntry, makePoolEntry, type PoolEntry } from "./pool-entry.ts";
import { owns, PoolPairs } from "./pool-pairs.ts";
import type { BlockRecord, NodeRecord, PoolRecord } from "./records.ts";
import { Serving } from "./serving.ts";

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
  readonly #blocks = new KnownBlocks();
  readonly #gone = new Graves();
  /** Names that are being created now, by which they are occupied. */
  readonly #placing = new Map<string, Placing>();

  get blocks(): ReadonlyMap<string, BlockRecord> {
    return this.#blocks.byName;
  }

  /** The highest version that any NodeBlock had. */
  get latestBlock(): number {
    return this.#blocks.latest;
  }

  blocksOfNode(name: string): BlockRecord[] {
    return this.#blocks.ofNode(name);
  }

  blocksOfPool(key: string): BlockRecord[] {
    return this.#blocks.ofPool(key);
  }

  countBlocks(key: string): number {
    return this.#blocks.count(key);
  }

  /** Whether there are blocks of a pool that was there before under the same name. */
  hasForeignBlocks({ key, record }: PoolEntry): boolean {
    return this.#blocks.hasOthers(key, (uid) => owns(record, uid));
  }

  /** True where something changed that decides about blocks or annotations: a heartbeat is none. */
  putNode(node: NodeRecord): boolean {
    const before = this.nodes.get(node.name);
    if (this.#gone.has(node.uid) || (before && isOlder(node, before))) return false;
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
    this.#gone.add(before.uid);
    return this.nodes.delete(name);
  }

  /** True where it is planned with anew, and all its nodes are to be looked at. */
  putPool(record: PoolRecord): boolean {
    if (this.#gone.has(record.uid)) return false;
    return this.pairs.put(record) && this.#renewPool(poolKey(record));
  }

  #renewPool(key: string): boolean {
    const record = this.pairs.counting(key);
    const before = this.pools.get(key);
    if (!record) return this.pools.delete(key);
    if (before && keepsPoolEntry(before, record)) return false;
    const entry = makePoolEntry(record, before);
    for (const block of this.blocksOfPool(key)) entry.planner?.occupy(block);
    for (const { key: of, index } of this.#placing.values())
      if (of === key && entry.pool)
        entry.planner?.occupy({ index, span: spanOfBlock(entry.pool.grid, index) });
    this.pools.set(key, entry);
    return true;
  }

  /** True where it was known. */
  dropPool(key: string, version: string, isServed = false): boolean {
    const before = isServed ? this.pairs.served(key) : this.pairs.own(key);
    if (!before || !this.pairs.drop(key, version, isServed)) return false;
    this.#gone.add(before.uid);
    if (isServed) this.serving.forget(key);
    this.#renewPool(key);
    return true;
  }

  /** What is known of it already, or later things, change nothing: false. */
  putBlock(block: BlockRecord): boolean {
    if (this.#gone.has(block.uid)) return false;
    const before = this.blocks.get(block.name);
    if (before && isOlder(block, before)) return false;
    if (before && isSameClaim(before, block)) {
      // Also of the same version: what watches and answers made of it need not both be kept.
      this.#blocks.replace(block);
      return before.version !== block.version;
    }
    if (before) this.#forget(before);
    this.#keep(block);
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

  /** What the Node says that it holds, and no NodeBlock is there for. Returns the keys of pools for which that isn't as it was. */
  noteMissing(nodeName: string): string[] {
    const node = this.nodes.get(nodeName);
    const names = node ? [...claimedBy(node)].filter((name) => !this.blocks.has(name)) : [];
    const changed = new Set<string>();
    for (const entry of this.pools.values()) {
      const own = new Set(names.filter((name) => keyOfBlock(name) === entry.key));
      for (const [name, { node }] of entry.missing)
        if (node === nodeName && !own.has(name)) {
          entry.missing.delete(name);
          changed.add(entry.key);
        }
      for (const name of own) {
        if (entry.missing.has(name)) continue;
        entry.missing.set(name, { node: nodeName, since: Date.now() });
        changed.add(entry.key);
      }
    }
    return [...changed];
  }

  /** A restored etcd brings back what went. */
  forgetGone(): void {
    this.#gone.clear();
    this.#blocks.latest = 0;
  }

  #keep(block: BlockRecord): void {
    const entry = this.pools.get(poolKey(block.pool));
    this.settle(block.name);
    this.#blocks.add(block);
    entry?.missing.delete(block.name);
    entry?.planner?.occupy(block);
  }

  #forget(block: BlockRecord): void {
    this.#blocks.remove(block);
    this.#gone.add(block.uid);
    this.pools.get(poolKey(block.pool))?.planner?.release(block.index);
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

function isSameClaim(one: BlockRecord, other: BlockRecord): boolean {
  return one.uid === other.uid && one.nodeName === other.nodeName;
}

function isSame(one: Record<string, string>, other: Record<string, string>): boolean {
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => one[key] === other[key]);
}
