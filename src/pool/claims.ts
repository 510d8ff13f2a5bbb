import { firstOf, lastOf, parseCidr } from "../address/cidr.ts";
import { type RangeSet, type Span, spanOf } from "../address/range.ts";
import { gaps } from "../address/runs.ts";
import { poolKey } from "../api/pool-names.ts";
import type { Block } from "./block.ts";
import type { Pool } from "./pool.ts";

/** Addresses that somebody gives away, in words for people: `podCIDRs of worker-1`. `pool` is the key of the one that they belong to. */
export type Claim = { owner: string; span: Span; pool?: string };

/** A pool as far as its addresses go, and when it was made (milliseconds since 1970). */
export type PoolClaim = {
  key: string;
  owner: string;
  created: number;
  allowOverlap: boolean;
  spans: Span[];
};

/** What a pool gives, or could: not what is excluded, so a network may be shared by exclusions. */
export function claimOfPool(pool: Pool, created: number): PoolClaim {
  const { kind, name, grid, inside, excluded, allowOverlap } = pool;
  const { family } = grid;
  const spans = gaps(inside, excluded).map(({ first, last }) => ({
    first: { family, value: first },
    last: { family, value: last },
  }));
  return { key: poolKey({ kind, name }), owner: `${kind} ${name}`, created, allowOverlap, spans };
}

/** Blocks that are given, of whatever pool: one whose spec is broken still has them. */
export function claimsOfBlocks(blocks: readonly Block[]): Claim[] {
  return blocks.flatMap(({ name, nodeName, span, pool }) =>
    span ? [{ owner: `NodeBlock ${name} of ${nodeName}`, span, pool: poolKey(pool) }] : [],
  );
}

export function claimsOfPodCIDRs(node: string, podCIDRs: readonly string[]): Claim[] {
  return podCIDRs.flatMap((text) => claimOfCidr(`podCIDRs of ${node}`, text));
}

export function claimsOfServices(cidrs: readonly string[]): Claim[] {
  return cidrs.flatMap((text) => claimOfCidr("Services", text));
}

/** What an annotation that somebody wrote gives to its Node. */
export function claimsOfAnnotation(node: string, key: string, ranges: readonly RangeSet[]): Claim[] {
  return ranges.flat().map((range) => ({ owner: `annotation ${key} of ${node}`, span: spanOf(range) }));
}

function claimOfCidr(owner: string, text: string): Claim[] {
  const cidr = parseCidr(text);
  return cidr ? [{ owner, span: { first: firstOf(cidr), last: lastOf(cidr) } }] : [];
}
