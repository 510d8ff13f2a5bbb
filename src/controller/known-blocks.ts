import { poolKey } from "../api/pool-names.ts";
import type { BlockRecord } from "./records.ts";

/** NodeBlocks by name, by their Node and by their pool. */
export class KnownBlocks {
  readonly byName = new Map<string, BlockRecord>();
  /** The highest version that any of them had: what is created after that is later, unless etcd was set back. */
  latest = 0;
  readonly #ofNode = new Map<string, Set<string>>();
  readonly #ofPool = new Map<string, Set<string>>();
  /** By pool: how many blocks are of which UID. */
  readonly #uids = new Map<string, Map<string, number>>();

  ofNode(name: string): BlockRecord[] {
    return this.#named(this.#ofNode.get(name));
  }

  ofPool(key: string): BlockRecord[] {
    return this.#named(this.#ofPool.get(key));
  }

  count(key: string): number {
    return this.#ofPool.get(key)?.size ?? 0;
  }

  /** Whether there are blocks of a pool of another UID than those that are its own. */
  hasOthers(key: string, isOwn: (uid: string) => boolean): boolean {
    return [...(this.#uids.get(key)?.keys() ?? [])].some((uid) => !isOwn(uid));
  }

  add(block: BlockRecord): void {
    const key = poolKey(block.pool);
    this.replace(block);
    addTo(this.#ofNode, block.nodeName, block.name);
    addTo(this.#ofPool, key, block.name);
    this.#count(key, block.pool.uid, 1);
  }

  /** By a later version of itself. */
  replace(block: BlockRecord): void {
    this.byName.set(block.name, block);
    if (Number(block.version) > this.latest) this.latest = Number(block.version);
  }

  remove(block: BlockRecord): void {
    const key = poolKey(block.pool);
    this.byName.delete(block.name);
    removeFrom(this.#ofNode, block.nodeName, block.name);
    removeFrom(this.#ofPool, key, block.name);
    this.#count(key, block.pool.uid, -1);
  }

  #count(key: string, uid: string, change: number): void {
    const uids = this.#uids.get(key) ?? new Map<string, number>();
    this.#uids.set(key, uids);
    const count = (uids.get(uid) ?? 0) + change;
    if (count > 0) uids.set(uid, count);
    else uids.delete(uid);
  }

  #named(names: ReadonlySet<string> | undefined): BlockRecord[] {
    return [...(names ?? [])].map((name) => this.byName.get(name) as BlockRecord);
  }
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
