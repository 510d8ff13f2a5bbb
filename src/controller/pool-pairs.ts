import type { PoolKind } from "../api/pool-kind.ts";
import { poolKey } from "../api/pool-names.ts";
import type { BlockRecord, PoolRecord } from "./records.ts";

/**
 * The pools of both groups. A kind and a name are one pool: where both groups have it, ours counts; unless it is being deleted and the served
 * one goes on with its blocks.
 */
export class PoolPairs {
  readonly #own = new Map<string, PoolRecord>();
  readonly #served = new Map<string, PoolRecord>();
  /** Kinds of the served group that were listed: of the others nobody knows what there is. */
  readonly listed = new Set<PoolKind>();

  /** False where what is known is of a later moment. */
  put(record: PoolRecord): boolean {
    const side = record.served ? this.#served : this.#own;
    const before = side.get(poolKey(record));
    if (before && Number(record.version) < Number(before.version)) return false;
    side.set(poolKey(record), record);
    return true;
  }

  drop(key: string, version: string, isServed: boolean): boolean {
    const side = isServed ? this.#served : this.#own;
    const before = side.get(key);
    if (!before || Number(version) < Number(before.version)) return false;
    return side.delete(key);
  }

  own(key: string): PoolRecord | undefined {
    return this.#own.get(key);
  }

  served(key: string): PoolRecord | undefined {
    return this.#served.get(key);
  }

  get allOwn(): PoolRecord[] {
    return [...this.#own.values()];
  }

  get allServed(): PoolRecord[] {
    return [...this.#served.values()];
  }

  /** The one that blocks are given by. */
  counting(key: string): PoolRecord | undefined {
    const [own, served] = [this.own(key), this.served(key)];
    if (!own || !served) return own ?? served;
    return own.deleting && !served.deleting && owns(served, own.uid) ? served : own;
  }

  /** The one that is there as well. */
  other(key: string): PoolRecord | undefined {
    const [own, served] = [this.own(key), this.served(key)];
    if (!own || !served) return undefined;
    return this.counting(key) === own ? served : own;
  }

  /** Whether a block that isn't the counting pool's may be another's still: of the other group, which isn't served, or not heard of, now. */
  mayHave({ pool, isServed }: BlockRecord): boolean {
    const other = this.other(poolKey(pool));
    if (other && !other.deleting && owns(other, pool.uid)) return true;
    return isServed && !this.listed.has(pool.kind);
  }
}

/** Whether NodeBlocks that name this UID are the pool's: it was that object before, where it isn't now. */
export function owns(record: PoolRecord | undefined, uid: string): boolean {
  return record !== undefined && (record.uid === uid || record.before.includes(uid));
}
