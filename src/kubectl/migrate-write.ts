import { type NvPool, nvPoolPath, poolGridKey, uidsOfPool } from "../api/nv-ipam.ts";
import { unlessAbsent } from "../kube/api-error.ts";
import type { Client } from "../kube/client.ts";
import { asServed } from "../move/as-served.ts";
import { type OwnObject, ownObjectOf } from "../move/own-object.ts";
import type { PoolClaims } from "../move/plan-claims.ts";
import { formatGrid } from "../move/pool-grid.ts";
import type { Pool } from "../pool/pool.ts";
import { asManager } from "./field-manager.ts";
import { readOwnObject } from "./migrate-cluster.ts";
import { ensurePoolObject, freezeGrid } from "./own-pool.ts";
import { ensureBlocks } from "./rebuild-write.ts";

/**
 * Claims a pool's blocks: its grid is frozen first, and only if the object is as it was planned with (its status too: a write of nv-ipam's
 * controller makes this fail). Returns what went wrong, as sentences.
 */
export async function claimPool(client: Client, { from, pool, create }: PoolClaims): Promise<string[]> {
  const grid = JSON.stringify(formatGrid(pool as Pool));
  if (from.annotations[poolGridKey] === undefined) {
    const { uid, resourceVersion } = from;
    const metadata = { uid, resourceVersion, annotations: { [poolGridKey]: grid } };
    await client.patch(nvPoolPath(from.kind, from) + asManager, { metadata }, "merge");
  }
  return await ensureBlocks(client, create.map(asServed));
}

/** Makes our object of one of nv-ipam's, and freezes the same grid in its status; what is there already stays. */
export async function makeOwnObject(
  client: Client,
  from: NvPool,
  pool: Pool,
  own: OwnObject | undefined,
): Promise<void> {
  const made = own ?? readOwn(from, await ensurePoolObject(client, from, ownObjectOf(from)));
  if (!uidsOfPool(made).includes(from.uid))
    throw new Error(
      `${from.kind} ${from.name} of ipam.kube-node.io was made meanwhile, and not from this one`,
    );
  const grid = formatGrid(pool);
  if (made.grid?.first === grid.first && made.grid.size === grid.size) return;
  await freezeGrid(client, made, pool);
}

function readOwn({ kind, name }: NvPool, item: unknown): OwnObject {
  const own = readOwnObject(kind, item);
  if (!own) throw new Error(`${kind} ${name}: the API server's answer is no object`);
  return own;
}

type Held = { uid: string; finalizers: string[] };
type Found = { metadata: { uid: string; finalizers?: string[] } };

/**
 * Deletes an object, of this UID only, and takes away the finalizer that is ours: nobody else would. First the finalizer, so that a run that is
 * killed leaves an object that isn't being deleted; and again, where a controller was quick to put it back.
 */
export async function deletePool(
  client: Client,
  path: string,
  { uid, finalizers }: Held,
  finalizer: string,
): Promise<void> {
  const takeOff = (all: string[]) => {
    const metadata = { uid, finalizers: all.filter((one) => one !== finalizer) };
    return unlessAbsent(client.patch(path + asManager, { metadata }, "merge"));
  };
  if (finalizers.includes(finalizer)) await takeOff(finalizers);
  const preconditions = { uid };
  await unlessAbsent(client.remove(path, { apiVersion: "v1", kind: "DeleteOptions", preconditions }));
  await unlessAbsent(
    client.get<Found>(path).then(({ metadata: left }) => {
      const isHeld = left.uid === uid && left.finalizers?.includes(finalizer);
      return isHeld ? takeOff(left.finalizers ?? []) : undefined;
    }),
  );
}
