import { formatIp } from "../address/ip.ts";
import type { Span } from "../address/range.ts";
import type { Claim, PoolClaim } from "./claims.ts";

/** What a pool that comes second must not give: `span` are addresses that it has in common with `owner`; `more` others have some, too. */
export type Overlap = { owner: string; span: Span; more: number };

type Entry = { span: Span; at: number } & ({ pool: PoolClaim } | { claim: Claim });
type Found = { overlap: Omit<Overlap, "more">; rank: number; owners: Set<string> };

/**
 * By key, the pools that may give nothing new: those that come after another one with which they overlap, in order of creation and
 * then of name; and those that overlap with somebody who gives addresses whatever is said of a pool: podCIDRs, Services, annotations,
 * blocks of another pool. Pools that allow it are never among them. Costs what sorting costs, and each pair that overlaps.
 */
export function findOverlaps(pools: readonly PoolClaim[], claims: readonly Claim[]): Map<string, Overlap> {
  const order = new Map(pools.toSorted(comparePools).map((pool, at) => [pool, at]));
  const found = new Map<PoolClaim, Found>();

  function note(pool: PoolClaim, owner: string, rank: number, a: Span, b: Span): void {
    const span = common(a, b);
    const before = found.get(pool);
    const isBetter = !before || rank < before.rank || (rank === before.rank && isBefore(span, owner, before));
    const owners = (before?.owners ?? new Set()).add(owner);
    const best = isBetter ? { overlap: { owner, span }, rank } : before;
    found.set(pool, { overlap: best.overlap, rank: best.rank, owners });
  }

  function meet(one: Entry, other: Entry): void {
    if ("pool" in one && "pool" in other) {
      const [a, b] = [order.get(one.pool) as number, order.get(other.pool) as number];
      if (a === b) return;
      const [first, second] = a < b ? [one.pool, other.pool] : [other.pool, one.pool];
      if (!second.allowOverlap) note(second, first.owner, Math.min(a, b), one.span, other.span);
    } else if ("pool" in one && "claim" in other) {
      if (!one.pool.allowOverlap && other.claim.pool !== one.pool.key)
        note(one.pool, other.claim.owner, pools.length, one.span, other.span);
    } else if ("pool" in other) meet(other, one);
  }

  sweep(entriesOf(pools, claims), meet);
  return new Map(
    [...found].map(([{ key }, { overlap, owners }]) => [key, { ...overlap, more: owners.size - 1 }]),
  );
}

/** A sentence for the pool's condition, without its end. */
export function describeOverlap(pool: string, { owner, span, more }: Overlap): string {
  const range = `${formatIp(span.first)}-${formatIp(span.last)}`;
  const others = more === 0 ? "" : `, and of ${more} more`;
  return `${range} of ${pool} are also of ${owner}${others}: exclude them, move one of the two, or set allowOverlap: true where those networks never meet`;
}

function entriesOf(pools: readonly PoolClaim[], claims: readonly Claim[]): Entry[] {
  return [
    ...pools.flatMap((pool) => pool.spans.map((span) => ({ span, pool }))),
    ...claims.map((claim) => ({ span: claim.span, claim })),
  ].map((entry, at) => ({ ...entry, at }));
}

/** Calls `meet` for each pair that overlaps and has a pool in it, in the order in which the later one of the two begins. */
function sweep(entries: Entry[], meet: (one: Entry, other: Entry) => void): void {
  let open: { pools: Entry[]; claims: Entry[] } = { pools: [], claims: [] };
  for (const entry of entries.sort((a, b) => compareSpans(a.span, b.span) || a.at - b.at)) {
    const isOpen = ({ span }: Entry) => reaches(span, entry.span);
    const isPool = "pool" in entry;
    // Claims never meet each other: those that are over are left until a pool looks at them.
    open = { pools: open.pools.filter(isOpen), claims: isPool ? open.claims.filter(isOpen) : open.claims };
    for (const other of isPool ? [...open.pools, ...open.claims] : open.pools) meet(other, entry);
    (isPool ? open.pools : open.claims).push(entry);
  }
}

function reaches(earlier: Span, later: Span): boolean {
  return earlier.first.family === later.first.family && earlier.last.value >= later.first.value;
}

function common(a: Span, b: Span): Span {
  return {
    first: a.first.value > b.first.value ? a.first : b.first,
    last: a.last.value < b.last.value ? a.last : b.last,
  };
}

/** So that the words don't depend on the order in which claims come in. */
function isBefore(span: Span, owner: string, { overlap }: Found): boolean {
  return (compareSpans(span, overlap.span) || compare(owner, overlap.owner)) < 0;
}

function comparePools(a: PoolClaim, b: PoolClaim): number {
  return compare(a.created, b.created) || compare(a.owner, b.owner);
}

function compareSpans(a: Span, b: Span): number {
  return (
    a.first.family - b.first.family ||
    compare(a.first.value, b.first.value) ||
    compare(a.last.value, b.last.value)
  );
}

function compare<T extends string | number | bigint>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
