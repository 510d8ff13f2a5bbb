import type { NodeBlock } from "../api/node-block.ts";
import { type PoolKind, poolKinds } from "../api/pool-kind.ts";
import { nodeBlocksPath, poolPath } from "../api/pool-names.ts";
import type { Client } from "../kube/client.ts";
import { readBlock } from "../pool/block.ts";
import { type Claim, claimOfPool, claimsOfBlocks, type PoolClaim } from "../pool/claims.ts";
import { readPool } from "../pool/read-pool.ts";
import { readClaimsOfOthers } from "../survey/claims-of-others.ts";
import { isObject } from "../text/json.ts";

/** What a pool could overlap with: all other pools, and who gives addresses beside them. */
export type Known = { pools: PoolClaim[]; claims: Claim[] };

/** What Nodes and blocks say is good for so many times what it took to read them; pools that are applied together must see each other. */
const goodForTimes = 5;

/** Asks the API server, page by page; who asks meanwhile gets the same answer about Nodes. */
export function makeKnown(client: Client): () => Promise<Known> {
  let last: { others: Promise<Claim[]>; until: number } | undefined;
  const readOnce = () => {
    const begun = performance.now();
    if (last && begun < last.until) return last.others;
    const own = { others: readOthers(client), until: Number.POSITIVE_INFINITY };
    const end = (times: number) => {
      own.until = performance.now() + times * (performance.now() - begun);
    };
    own.others.then(
      () => end(goodForTimes),
      () => end(0),
    );
    last = own;
    return own.others;
  };
  return async () => {
    const others = await readOnce();
    const pools = (await Promise.all(poolKinds.map((kind) => readPools(client, kind)))).flat();
    const good = new Set(pools.map(({ key }) => key));
    // A good pool says itself what it has.
    return { pools, claims: others.filter(({ pool }) => pool === undefined || !good.has(pool)) };
  };
}

async function readOthers(client: Client): Promise<Claim[]> {
  const blocks = await client.list(nodeBlocksPath, (item) => readBlock(item as NodeBlock));
  const { claims } = await readClaimsOfOthers(client);
  return [...claimsOfBlocks(blocks), ...claims];
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
  return client.list(poolPath(kind), (item) => readPoolClaim(kind, item));
}
