import type { NodeBlock } from "../api/node-block.ts";
import { type PoolKind, poolKinds } from "../api/pool-kind.ts";
import { poolGroup, poolVersion } from "../api/pool-names.ts";
import type { Client } from "../kube/client.ts";
import { readBlock } from "../pool/block.ts";
import { type Claim, claimOfPool, claimsOfBlocks, type PoolClaim } from "../pool/claims.ts";
import { readPool } from "../pool/read-pool.ts";
import { readClaimsOfOthers } from "../survey/claims-of-others.ts";
import { isObject } from "../text/json.ts";

/** What a pool could overlap with: all other pools, and who gives addresses beside them. */
export type Known = { pools: PoolClaim[]; claims: Claim[] };

/** Asks the API server for all of it, page by page. */
export async function readKnown(client: Client): Promise<Known> {
  const pools = (await Promise.all(poolKinds.map((kind) => readPools(client, kind)))).flat();
  const good = new Set(pools.map(({ key }) => key));
  const blocks = await client.list(listPath("NodeBlock"), (item) => readBlock(item as NodeBlock));
  // A good pool says itself what it has.
  const orphans = claimsOfBlocks(blocks).filter(({ pool }) => pool === undefined || !good.has(pool));
  const others = await readClaimsOfOthers(client);
  return { pools, claims: [...orphans, ...others.claims] };
}

/** One object of a pool's kind; undefined where its spec is no good. */
export function readPoolClaim(kind: PoolKind, item: unknown, created?: number): PoolClaim | undefined {
  if (!isObject(item) || !isObject(item["metadata"]) || !isObject(item["spec"])) return undefined;
  const { name, creationTimestamp } = item["metadata"];
  const read = readPool({ kind, name: String(name), uid: "", spec: item["spec"] });
  return "pool" in read
    ? claimOfPool(read.pool, created ?? Date.parse(String(creationTimestamp)))
    : undefined;
}

function readPools(client: Client, kind: PoolKind): Promise<PoolClaim[]> {
  return client.list(listPath(kind), (item) => readPoolClaim(kind, item));
}

function listPath(kind: string): string {
  return `/apis/${poolGroup}/${poolVersion}/${kind.toLowerCase()}s`;
}
