import { nvPoolPath, poolFinalizer, readNvPool } from "../api/nv-ipam.ts";
import { type PoolKind, poolKinds } from "../api/pool-kind.ts";
import { poolKey } from "../api/pool-names.ts";
import { isStatus } from "../kube/api-error.ts";
import type { Client } from "../kube/client.ts";
import { asOurs } from "../move/as-ours.ts";
import { readPool } from "../pool/read-pool.ts";
import { type PoolObject, type PoolObjects, readPoolObjects } from "../survey/pool-objects.ts";

/** All pools that our controller gives blocks of, in either group, and NodeBlocks; `notes` get what may not be read. */
export async function readAllPools(client: Client, notes: string[]): Promise<PoolObjects> {
  return await withServed(client, await readPoolObjects(client, notes));
}

/** The same with nv-ipam's pools that our controller serves. */
export async function withServed(client: Client, objects: PoolObjects): Promise<PoolObjects> {
  return { ...objects, pools: [...objects.pools, ...(await readServedPools(client, objects.pools))] };
}

/**
 * nv-ipam's pools that our controller serves and that ours don't stand for, as pools; none where the cluster doesn't know them, or one may
 * not see them.
 */
export async function readServedPools(client: Client, own: readonly PoolObject[]): Promise<PoolObject[]> {
  const known = new Set(own.map(poolKey));
  const found = await Promise.all(
    poolKinds.map((kind) =>
      client
        .list(nvPoolPath(kind), (item) => readServed(kind, item))
        .catch((error: unknown) => {
          if (isStatus(error, 404, 403)) return [];
          throw error;
        }),
    ),
  );
  return found.flat().filter((pool) => !known.has(poolKey(pool)));
}

function readServed(kind: PoolKind, item: unknown): PoolObject | undefined {
  const nv = readNvPool(kind, item);
  if (!nv?.finalizers.includes(poolFinalizer)) return undefined;
  const { name, uid, namespace, deleting } = nv;
  const { spec, status } = asOurs(nv);
  const read = readPool({ kind, name, uid, spec, ...(status.grid && { frozen: status.grid }) });
  return {
    ...{ kind, name, uid, namespace, deleting, status },
    pool: "pool" in read ? read.pool : undefined,
    faults: "pool" in read ? [] : read.faults,
  };
}
