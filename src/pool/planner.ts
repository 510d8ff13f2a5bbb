import { countIn, gaps, isIn, mergeRuns, type Run, runFrom } from "../address/runs.ts";
import { isOnGrid, type PlacedSpan } from "./block-addresses.ts";
import { runOfBlocks } from "./grid.ts";
import { LeastFirst } from "./least-first.ts";
import { unusableBlocks } from "./odd-blocks.ts";
import type { Pool, PoolNode } from "./pool.ts";

/** Why a node has no block: all are taken; or the one that is kept for it is another's, or has no address left. */
export type Shortage = "none free" | "static taken" | "static unusable";

export type Placed = { index: bigint } | { why: Shortage };

/** Which blocks of one pool are free. Placing costs the logarithm of what was placed before, however big the pool is. */
export type Planner = {
  /** Every NodeBlock that is recorded, whatever its state, before the first `place`: its index and all blocks that it touches. */
  occupy(block: PlacedSpan): void;
  /** The NodeBlock of that index is gone from the API server. */
  release(index: bigint): void;
  /** The node's static block, else the lowest free one; occupied from here on. Whether the node has a block is for the caller to know. */
  place(node: Pick<PoolNode, "name">): Placed;
  /** Blocks that could be given, or were; static ones without a node's name aren't. */
  readonly total: bigint;
  /** Those of them that nothing occupies; static ones that wait for their node, too. */
  readonly free: bigint;
};

export function createPlanner(pool: Pool): Planner {
  return new FreeBlocks(pool);
}

/**
 * Below `next`, `released` has every block that can be given (and some that no longer can); `next` itself can be given, unless it is the grid's
 * end. It only moves up, past what is taken or barred: looking for a free block costs no more in all than occupying the others did.
 */
class FreeBlocks implements Planner {
  readonly total: bigint;
  readonly #pool: Pool;
  readonly #unusable: Run[];
  /** Never given: unusable, or nobody's. */
  readonly #closed: Run[];
  /** Given to no node by order: those, and static ones. */
  readonly #kept: Run[];
  #taken = new Set<bigint>();
  /** Of them, those that `total` counts. */
  #given = 0n;
  /** By the index of their names: NodeBlocks whose addresses aren't those of their index, and the blocks that they touch. */
  #strays = new Map<bigint, Run>();
  #strayRuns: Run[] = [];
  /** `kept` and what strays touch. */
  #barred: Run[];
  #released = new LeastFirst();
  #next = 0n;
  #isSettled = false;

  constructor(pool: Pool) {
    const statics = [...pool.statics].map(([first, { nodeName }]) => ({ first, last: first, nodeName }));
    this.#pool = pool;
    this.#unusable = unusableBlocks(pool);
    this.#closed = mergeRuns([
      ...this.#unusable,
      ...statics.filter(({ nodeName }) => nodeName === undefined),
    ]);
    this.#kept = mergeRuns([...this.#closed, ...statics]);
    this.#barred = this.#kept;
    this.total = pool.grid.count - countIn(this.#closed);
    this.#settle();
  }

  occupy(block: PlacedSpan): void {
    this.#take(block.index);
    const run =
      isOnGrid(this.#pool.grid, block) || !block.span ? undefined : runOfBlocks(this.#pool.grid, block.span);
    if (!run) return;
    this.#strays.set(block.index, run);
    this.#isSettled = false;
  }

  release(index: bigint): void {
    if (!this.#taken.delete(index)) return;
    if (this.#counts(index)) this.#given--;
    if (this.#strays.delete(index)) this.#isSettled = false;
    else if (index < this.#next) this.#released.add(index);
  }

  place({ name }: Pick<PoolNode, "name">): Placed {
    if (!this.#isSettled) this.#settle();
    const own = this.#pool.staticOf.get(name);
    if (own !== undefined) return this.#placeStatic(own);
    const index = this.#leastReleased() ?? this.#next;
    if (index >= this.#pool.grid.count) return { why: "none free" };
    this.#take(index);
    return { index };
  }

  get free(): bigint {
    if (!this.#isSettled) this.#settle();
    const touched = this.#strayRuns.flatMap((run) => gaps(run, this.#closed));
    // Without strays, which are seldom, nothing is gone through.
    const twice = touched.length > 0 ? [...this.#taken].filter((index) => isIn(touched, index)).length : 0;
    return this.total - this.#given - countIn(touched) + BigInt(twice);
  }

  #take(index: bigint): void {
    if (this.#taken.has(index)) return;
    this.#taken.add(index);
    if (this.#counts(index)) this.#given++;
    if (index === this.#next) this.#advance();
  }

  #counts(index: bigint): boolean {
    return index < this.#pool.grid.count && !isIn(this.#closed, index);
  }

  #placeStatic(index: bigint): Placed {
    if (isIn(this.#unusable, index)) return { why: "static unusable" };
    if (this.#taken.has(index) || isIn(this.#strayRuns, index)) return { why: "static taken" };
    this.#take(index);
    return { index };
  }

  #leastReleased(): bigint | undefined {
    let index = this.#released.take();
    while (index !== undefined && (this.#taken.has(index) || isIn(this.#barred, index)))
      index = this.#released.take();
    return index;
  }

  #advance(): void {
    const { count } = this.#pool.grid;
    let at = this.#next;
    while (at < count) {
      const bar = runFrom(this.#barred, at);
      const end = bar && bar.first < count ? bar.first : count;
      while (at < end && this.#taken.has(at)) at++;
      if (at < end || !bar) break;
      at = bar.last + 1n;
    }
    this.#next = at;
  }

  /** At first, and where strays came or went: only a pool that was made again under its name has any. */
  #settle(): void {
    this.#strayRuns = mergeRuns([...this.#strays.values()]);
    this.#barred = mergeRuns([...this.#kept, ...this.#strayRuns]);
    this.#released = new LeastFirst();
    this.#next = 0n;
    this.#advance();
    this.#isSettled = true;
  }
}
