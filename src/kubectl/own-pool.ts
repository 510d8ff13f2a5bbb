import { type PoolReference, poolPath } from "../api/pool-names.ts";
import { ApiError } from "../kube/api-error.ts";
import type { Client } from "../kube/client.ts";
import { formatGrid } from "../move/pool-grid.ts";
import type { Pool } from "../pool/pool.ts";
import { asManager } from "./field-manager.ts";

/** A pool's object of ours as the API server has it: made now, or by a run before this one. */
export async function ensurePoolObject(
  client: Client,
  { kind, name }: PoolReference,
  object: object,
): Promise<unknown> {
  try {
    return await client.create(poolPath(kind) + asManager, object);
  } catch (error) {
    if (!(error instanceof ApiError) || error.reason !== "AlreadyExists") throw error;
    return await client.get(poolPath(kind, name));
  }
}

/** In the status of that object, and of no other of its name. */
export async function freezeGrid(
  client: Client,
  { kind, name, uid }: PoolReference & { uid: string },
  pool: Pool,
): Promise<void> {
  const body = { metadata: { uid }, status: { grid: formatGrid(pool) } };
  await client.patch(`${poolPath(kind, name)}/status${asManager}`, body, "merge");
}
