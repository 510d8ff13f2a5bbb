import { isIn, mergeRuns, type Run } from "../address/runs.ts";
import { countAddressesOf } from "./block-addresses.ts";
import { runOfBlocks, spanOfBlock } from "./grid.ts";
import type { Pool } from "./pool.ts";

/** Blocks that aren't like the others: those wholly inside of an exclusion, and those to be looked at one by one. */
type OddBlocks = { swallowed: Run[]; others: bigint[] };

/** Costs what exclusions and static allocations cost, however many blocks there are. */
export function oddBlocks({ grid, excluded, gateway, statics }: Pool): OddBlocks {
  const touchedBy = (first: bigint, last: bigint) =>
    runOfBlocks(grid, {
      first: { family: grid.family, value: first },
      last: { family: grid.family, value: last },
    });
  const touched = excluded.flatMap(({ first, last }) => touchedBy(first, last) ?? []);
  // Between the two at its ends, an exclusion takes blocks whole.
  const swallowed = touched
    .map(({ first, last }) => ({ first: first + 1n, last: last - 1n }))
    .filter(({ first, last }) => first <= last);
  const own = gateway.at === "address" ? touchedBy(gateway.ip.value, gateway.ip.value) : undefined;
  const suspects = new Set([
    ...touched.flatMap(({ first, last }) => [first, last]),
    ...(own ? [own.first] : []),
    ...statics.keys(),
  ]);
  return { swallowed, others: [...suspects].filter((index) => !isIn(swallowed, index)) };
}

/** Indexes of blocks that have no address for pods. */
export function unusableBlocks(pool: Pool): Run[] {
  const { swallowed, others } = oddBlocks(pool);
  const empty = others.filter(
    (index) => countAddressesOf(pool, { index, span: spanOfBlock(pool.grid, index) }) === 0n,
  );
  return mergeRuns([...swallowed, ...empty.map((index) => ({ first: index, last: index }))]);
}
