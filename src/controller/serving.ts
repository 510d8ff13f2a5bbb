import type { Verdict } from "./pool-condition.ts";
import type { PoolRecord } from "./records.ts";

const fewDoubts = 5;

/** What keeps the served group's pools from being given from, and what was said of them. */
export class Serving {
  /** Why the whole group is left alone; undefined: nv-ipam's controller doesn't run. */
  held: string | undefined = "nobody looked yet whether nv-ipam's controller runs";
  /** By pool: what its allocations say that can't be true. */
  readonly doubts = new Map<string, string[]>();
  /** By pool: when its status was too large to be written, by performance.now(). */
  readonly tooLargeAt = new Map<string, number>();
  readonly writtenAt = new Map<string, number>();
  /** By pool: Nodes that have a block which isn't shown to them before the status says so. */
  readonly waiting = new Map<string, Set<string>>();

  /** Whether something new may be given out of a pool that the served group has (too). */
  mayGive(key: string, served: PoolRecord | undefined): boolean {
    return !served || this.holdOf(key, served) === undefined;
  }

  /** Why not. */
  holdOf(key: string, { served }: PoolRecord): Verdict | undefined {
    if (this.held !== undefined) return { reason: "OldController", message: this.held };
    const doubts = this.doubts.get(key) ?? [];
    if (doubts.length > 0) return { reason: "DoubtfulAllocations", message: wordsOf(doubts) };
    if (!served?.isOurs)
      return { reason: "NotImported", message: "its allocations are being made into NodeBlocks" };
    return undefined;
  }

  wait(key: string, node: string): void {
    const nodes = this.waiting.get(key) ?? new Set();
    this.waiting.set(key, nodes.add(node));
  }

  forget(key: string): void {
    for (const map of [this.doubts, this.tooLargeAt, this.writtenAt, this.waiting]) map.delete(key);
  }
}

function wordsOf(doubts: string[]): string {
  const more = doubts.length - fewDoubts;
  const all = `${doubts.slice(0, fewDoubts).join("; ")}${more > 0 ? `; and ${more} more` : ""}`;
  return `status.allocations: ${all}. Nothing of it is taken over, nothing is given and its status is not written until that is put right`;
}
