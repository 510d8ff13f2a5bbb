import { isDeepStrictEqual } from "node:util";
import { movedFromKey } from "../api/nv-ipam.ts";
import { controllerName, poolApiVersion } from "../api/pool-names.ts";
import type { Client } from "../kube/client.ts";
import type { Fit } from "../move/fit-pool.ts";
import { draftBlock } from "../pool/block.ts";
import { readPool } from "../pool/read-pool.ts";
import { findLeaseHolder } from "./lease-holder.ts";
import { type MigrationNode, readOwnObject } from "./migrate-cluster.ts";
import { ensurePoolObject, freezeGrid } from "./own-pool.ts";
import { ensureBlocks } from "./rebuild-write.ts";
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
  return await ensureBlocks(client, blocks);
}

/** The pool, made now, or by a run before this one. */
async function ensurePool(client: Client, name: string, fit: Fitting) {
  const { kind, spec } = fit;
  const own = readOwnObject(kind, await ensurePoolObject(client, { kind, name }, manifestOf(name, fit)));
  if (!own || !isDeepStrictEqual(own.spec, spec) || own.annotations[movedFromKey] !== undefined)
    throw new Error(`there is another ${kind} ${name} already: give --pool another name`);
  return own;
}
