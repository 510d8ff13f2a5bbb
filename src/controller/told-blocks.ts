import { nodeBlockName, poolKey } from "../api/pool-names.ts";
import { formatAllocation } from "../move/format-allocation.ts";
import { placeAllocation } from "../move/read-allocation.ts";
import { judgeBlock } from "../pool/judge-block.ts";
import type { Pool } from "../pool/pool.ts";
import type { Cluster } from "./cluster.ts";
import type { BlockRecord } from "./records.ts";
import type { ServedPool } from "./served-pool.ts";

const said = new WeakMap<ServedPool, Map<string, number>>();

/**
 * Whether a block may be shown to its Node. nv-ipam's controller, should it come back, gives by the status alone: a block that isn't in there
 * yet may become another Node's. Where the status is too large, it can't be waited for.
 */
export function isTold(cluster: Cluster, block: BlockRecord): boolean {
  const isThere = isInStatus(cluster, block);
  return isThere === undefined || (isThere && !isBehind(cluster, block));
}

/** Its readers take a Node's first: one behind it is one too many, unless the first is closing, or has no address for pods. */
function isBehind(cluster: Cluster, block: BlockRecord): boolean {
  const key = poolKey(block.pool);
  const pool = cluster.pools.get(key)?.pool;
  const served = cluster.pairs.served(key)?.served;
  const own = served && severalOf(served).get(block.nodeName);
  if (!pool || !own) return false;
  for (const one of own) {
    const placed = placeAllocation(pool, one);
    if ("doubt" in placed) return true;
    if (placed.index === block.index) return false;
    const before = cluster.blocks.get(nodeBlockName(pool, placed.index));
    const isPast = before && (before.closing || !judgeBlock(pool, before).serves);
    if (!isPast) return true;
  }
  return false;
}

/**
 * Whether a block may be deleted: while the status says it, it may be nv-ipam's to take back or give, and without its NodeBlock it would be
 * a doubt.
 */
export function isForgotten(cluster: Cluster, block: BlockRecord): boolean {
  return !(isInStatus(cluster, block) ?? false);
}

/** Where the status says a block, which its readers go by: of a Node's open ones the first that they were told of is its own. Else behind all. */
export function placeInStatus({ pairs, pools }: Cluster, block: BlockRecord): number {
  const key = poolKey(block.pool);
  const served = pairs.served(key)?.served;
  const pool = pools.get(key)?.pool;
  const place = served && pool && allOf(served).get(placeOf(block.nodeName, pool, block));
  return place ?? Number.MAX_SAFE_INTEGER;
}

/** Undefined where there is no such status, or none that can be written. */
function isInStatus({ pairs, pools, serving }: Cluster, block: BlockRecord): boolean | undefined {
  const key = poolKey(block.pool);
  const served = pairs.served(key)?.served;
  const pool = pools.get(key)?.pool;
  if (!served || !pool || serving.tooLargeAt.has(key)) return undefined;
  return allOf(served).has(placeOf(block.nodeName, pool, block));
}

function allOf(served: ServedPool): Map<string, number> {
  const known = said.get(served);
  if (known) return known;
  const all = (served.allocations as Record<string, unknown>[]).map(
    (one) => `${one?.["nodeName"]} ${one?.["startIP"] ?? one?.["prefix"]}`,
  );
  const made = new Map(all.map((text, place) => [text, place] as const).reverse());
  said.set(served, made);
  return made;
}

const several = new WeakMap<ServedPool, Map<string, unknown[]>>();

/** By Node: what the status says of those that it gives more than one block. */
function severalOf(served: ServedPool): Map<string, unknown[]> {
  const known = several.get(served);
  if (known) return known;
  const all = served.allocations as (Record<string, unknown> | undefined)[];
  const byNode = Map.groupBy(all, (one) => String(one?.["nodeName"]));
  const made = new Map<string, unknown[]>([...byNode].filter(([, own]) => own.length > 1));
  several.set(served, made);
  return made;
}

function placeOf(nodeName: string, pool: Pool, block: BlockRecord): string {
  const one = formatAllocation(pool, block);
  return `${nodeName} ${"startIP" in one ? one.startIP : one.prefix}`;
}
