import type { NodeBlock } from "../api/node-block.ts";
import { type PoolKind, poolKinds } from "../api/pool-kind.ts";
import { nodeBlocksPath, type PoolReference, poolPath } from "../api/pool-names.ts";
import type { PlacedFault } from "../api/pool-shape.ts";
import type { PoolStatus } from "../api/pool-status.ts";
import { isStatus } from "../kube/api-error.ts";
import type { Client } from "../kube/client.ts";
import type { Pool } from "../pool/pool.ts";
import { readPool } from "../pool/read-pool.ts";
import { isObject, type JsonObject } from "../text/json.ts";

/** An IPPool or a CIDRPool; `pool` is undefined where its spec can't be planned with, for the `faults`. One of nv-ipam's has a `namespace`. */
export type PoolObject = PoolReference & {
  uid: string;
  namespace?: string;
  deleting: boolean;
  status: PoolStatus;
  pool: Pool | undefined;
  faults: PlacedFault[];
};

/** Pools and NodeBlocks as the API server has them. `isKnown`: the NodeBlocks could be read, so what isn't there isn't. */
export type PoolObjects = { pools: PoolObject[]; blocks: NodeBlock[]; isKnown: boolean };

/** A cluster without our CRDs has none; where they may not be read, that is noted. */
export async function readPoolObjects(client: Client, notes: string[]): Promise<PoolObjects> {
  const pools = await Promise.all(
    poolKinds.map((kind) =>
      listUnlessAbsent(client, poolPath(kind), (item) => readPoolObject(kind, item), notes),
    ),
  );
  const blocks = await listUnlessAbsent(client, nodeBlocksPath, readNodeBlock, notes);
  return { pools: pools.flatMap((all) => all ?? []), blocks: blocks ?? [], isKnown: blocks !== undefined };
}

/** Undefined where they can't be read. */
async function listUnlessAbsent<T>(
  client: Client,
  path: string,
  pick: (item: unknown) => T | undefined,
  notes: string[],
): Promise<T[] | undefined> {
  try {
    return await client.list(path, pick);
  } catch (error) {
    if (!isStatus(error, 404, 403)) throw error;
    if (error.status === 403) notes.push(`pools were not read: ${error.message}`);
    return undefined;
  }
}

function readPoolObject(kind: PoolKind, item: unknown): PoolObject | undefined {
  if (!isObject(item) || !isObject(item["metadata"])) return undefined;
  const { name, uid, deletionTimestamp } = item["metadata"];
  const spec = isObject(item["spec"]) ? item["spec"] : {};
  const status = (isObject(item["status"]) ? item["status"] : {}) as PoolStatus;
  const reference = { kind, name: String(name), uid: String(uid) };
  const read = readPool({ ...reference, spec, ...(status.grid && { frozen: status.grid }) });
  return {
    ...reference,
    deleting: deletionTimestamp !== undefined,
    status,
    pool: "pool" in read ? read.pool : undefined,
    faults: "pool" in read ? [] : read.faults,
  };
}

/** Only what is asked for of it: of 20,000 the rest is much. */
function readNodeBlock(item: unknown): NodeBlock | undefined {
  if (!isObject(item) || !isObject(item["metadata"]) || !isObject(item["spec"])) return undefined;
  const { apiVersion, kind = "NodeBlock", metadata, spec, status } = item as JsonObject & NodeBlock;
  const { name, uid = "", resourceVersion = "" } = metadata;
  return { apiVersion, kind, metadata: { name, uid, resourceVersion }, spec, ...(status && { status }) };
}
