import type { Ip } from "../address/ip.ts";
import type { Span } from "../address/range.ts";
import { clip, countIn, gaps, isIn, type Run } from "../address/runs.ts";
import { type Grid, spanOfBlock } from "./grid.ts";
import type { Pool } from "./pool.ts";

/** A place on the grid, with the addresses that its NodeBlock says. */
export type PlacedSpan = { index: bigint; span: Span | undefined };

/** Whether the addresses are those of the index; beyond the grid's end, too. */
export function isOnGrid(grid: Grid, { index, span }: PlacedSpan): boolean {
  if (!span || span.first.family !== grid.family) return false;
  const { first, last } = spanOfBlock(grid, index);
  return first.value === span.first.value && last.value === span.last.value;
}

/** What pods may get of a block, as numbers in order; the gateway's address is among them where nothing else excludes it. */
export function usableIn(pool: Pool, span: Span | undefined): Run[] {
  if (!span || span.first.family !== pool.grid.family) return [];
  const start = span.first.value;
  const size = span.last.value - start + 1n;
  const places = size === pool.grid.size ? pool.usable : pool.placesIn(size);
  return places.flatMap(({ first, last }) =>
    clip([pool.inside], { first: start + first, last: start + last }).flatMap((run) =>
      gaps(run, pool.excluded),
    ),
  );
}

/** The gateway of a block: a static allocation's own goes before the pool's rule. */
export function gatewayOfBlock({ grid, gateway, statics }: Pool, block: PlacedSpan): Ip | undefined {
  const own = statics.get(block.index)?.gateway;
  if (own && isOnGrid(grid, block)) return own;
  if (gateway.at === "address") return gateway.ip;
  if (gateway.at === "nowhere" || !block.span) return undefined;
  const value = block.span.first.value + gateway.index;
  return value <= block.span.last.value ? { family: grid.family, value } : undefined;
}

/** How many addresses pods can get of a block. */
export function countAddressesOf(pool: Pool, block: PlacedSpan): bigint {
  const usable = usableIn(pool, block.span);
  const gateway = gatewayOfBlock(pool, block);
  return countIn(usable) - (gateway && isIn(usable, gateway.value) ? 1n : 0n);
}

/** How many addresses pods can get of a block at the places that are left to them, its gateway's not counted where each block has one. */
export function countPodPlaces({ gateway, usable }: Pool): bigint {
  return countIn(usable) - (gateway.at === "index" && isIn(usable, gateway.index) ? 1n : 0n);
}
