import { isDeepStrictEqual } from "node:util";
import { movedFromKey } from "../api/nv-ipam.ts";
import { controllerName, type PoolReference, poolApiVersion, poolPath } from "../api/pool-names.ts";
import { ApiError } from "../kube/api-error.ts";
import type { Client } from "../kube/client.ts";
import type { Fit } from "../move/fit-pool.ts";
import { formatGrid } from "../move/pool-grid.ts";
import { draftBlock } from "../pool/block.ts";
import type { Pool } from "../pool/pool.ts";
import { readPool } from "../pool/read-pool.ts";
import { asManager } from "./field-manager.ts";
import { findLeaseHolder } from "./lease-holder.ts";
import { type MigrationNode, readOwnObject } from "./migrate-cluster.ts";
import { createBlocks } from "./rebuild-write.ts";
import type { Shell } from "./shell.ts";

export type Fitting = Exclude<Fit, { why: string }>;

/** The pool as it is applied. */
export function manifestOf(name: string, { kind, spec }: Fitting): object {
  return { apiVersion: poolApiVersion, kind, metadata: { name }, spec };
}

/**
 * Makes the pool, freezes its grid, and claims each node's place. Our controller must not run: it would give the places in its own order, as soon as
 * it sees the pool. Returns what went wrong; each part is done already where it is run again.
 */
export async function importPool(
  client: Client,
  name: string,
  fit: Fitting,
  nodes: ReadonlyMap<string, Pick<MigrationNode, "uid">>,
  shell: Shell,
): Promise<string[]> {
  const holder = await findLeaseHolder(client, controllerName, shell.progress);
  if (holder)
    return [
      `${holder.holder} would give the blocks in its own order: kubectl -n ${holder.namespace} scale deployment kube-node-controller --replicas=0, and run this again`,
    ];
  const own = await ensurePool(client, name, fit);
  const read = readPool({ ...own, spec: fit.spec });
  if (!("pool" in read)) throw new Error(`${fit.kind} ${name} isn't valid`);
  if (!own.grid) await freezeGrid(client, own, read.pool);
  const blocks = fit.places.map(({ node, index }) =>
    draftBlock(read.pool, { name: node, uid: nodes.get(node)?.uid ?? "" }, index),
  );
  const outcomes = await createBlocks(client, blocks, false);
  return [...outcomes].flatMap(([block, { state, words }]) =>
    state === "made" || state === "there" ? [] : [`${block}: ${words}`],
  );
}

async function freezeGrid(client: Client, { kind, name, uid }: PoolReference & { uid: string }, pool: Pool) {
  const body = { metadata: { uid }, status: { grid: formatGrid(pool) } };
  await client.patch(`${poolPath(kind, name)}/status${asManager}`, body, "merge");
}

/** The pool, made now, or by a run before this one. */
async function ensurePool(client: Client, name: string, fit: Fitting) {
  const { kind, spec } = fit;
  const item = await client
    .create<unknown>(poolPath(kind) + asManager, manifestOf(name, fit))
    .catch((error: unknown) => {
      if (!(error instanceof ApiError) || error.reason !== "AlreadyExists") throw error;
      return client.get<unknown>(poolPath(kind, name));
    });
  const own = readOwnObject(kind, item);
  if (!own || !isDeepStrictEqual(own.spec, spec) || own.annotations[movedFromKey] !== undefined)
    throw new Error(`there is another ${kind} ${name} already: give --pool another name`);
  return own;
}
