import { type RangeSet, type Span, spanOf } from "../address/range.ts";
import { type PoolReference, poolKey } from "../api/pool-names.ts";
import { readBlock } from "../pool/block.ts";
import { type Claim, claimOfPool, claimsOfBlocks, type PoolClaim } from "../pool/claims.ts";
import { findOverlaps, type Overlap } from "../pool/overlaps.ts";
import type { PoolObjects } from "./pool-objects.ts";

/** What a pool keeps from others. `owner` is `IPPool net1` for people, or blocks of it. */
export type KeptByPool = PoolClaim & { reference: PoolReference };

/**
 * What nobody else may give, as kube-node-controller sees it: the addresses of each pool, and the blocks of those that aren't there any more
 * or whose spec is no good. Pools that allow overlaps keep nothing from others.
 */
export function claimsOfPools({ pools, blocks }: PoolObjects): KeptByPool[] {
  const planned = pools.flatMap(({ pool }) => pool ?? []);
  const keys = new Set(planned.map(poolKey));
  const read = blocks.flatMap((one) => readBlock(one) ?? []);
  const left = Map.groupBy(
    read.filter(({ pool }) => !keys.has(poolKey(pool))),
    ({ pool }) => poolKey(pool),
  );
  return [
    ...planned
      .filter(({ allowOverlap }) => !allowOverlap)
      .map((pool) => ({ ...claimOfPool(pool, 0), reference: pool })),
    ...[...left].flatMap(([key, [one, ...more]]) => {
      if (!one) return [];
      const { kind, name } = one.pool;
      const owner = `blocks that are left of ${kind} ${name}`;
      const spans = claimsOfBlocks([one, ...more]).map(({ span }) => span);
      return [{ key, owner, created: 0, allowOverlap: false, spans, reference: one.pool }];
    }),
  ];
}

/** What a pool has in common with others; undefined where that is nothing. Pools among themselves are the controller's to compare. */
export function overlapOfPool(pool: PoolClaim, claims: readonly Claim[]): Overlap | undefined {
  return findOverlaps([pool], claims).get(pool.key);
}

/** Of the first pool that has addresses of a range set: which those are, and whose. */
export function findPoolWith(
  pools: readonly PoolClaim[],
  set: RangeSet,
): { owner: string; span: Span } | undefined {
  const claims = set.map((range) => ({ owner: "", span: spanOf(range) }));
  for (const pool of pools) {
    const overlap = overlapOfPool(pool, claims);
    if (overlap) return { owner: pool.owner, span: overlap.span };
  }
  return undefined;
}
