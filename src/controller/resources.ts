import { nvPoolPath } from "../api/nv-ipam.ts";
import { nodeBlocksPath, type PoolReference, poolKey, poolPath } from "../api/pool-names.ts";
import { isStatus } from "../kube/api-error.ts";
import type { Client } from "../kube/client.ts";
import { isObject } from "../text/json.ts";
import type { ControllerContext } from "./context.ts";
import { putPool } from "./put-pool.ts";
import {
  type BlockRecord,
  type NodeRecord,
  type PoolRecord,
  readBlockRecord,
  readNodeRecord,
  readPoolRecord,
} from "./records.ts";

export const paths = {
  nodes: "/api/v1/nodes",
  blocks: nodeBlocksPath,
};

export function pathOfPool({ kind, name, served }: PoolReference & Pick<PoolRecord, "served">): string {
  return served ? nvPoolPath(kind, { namespace: served.namespace, name }) : poolPath(kind, name);
}

/** The Node as the API server has it now; undefined where it has none of that name. */
export async function lookAtNode(context: ControllerContext, name: string): Promise<NodeRecord | undefined> {
  const { cluster } = context;
  const before = cluster.nodes.get(name);
  const node = readNodeRecord(await unlessGone(context.nodeClient.get(`${paths.nodes}/${name}`)));
  if (isPast(node, before)) {
    cluster.nodes.delete(name);
    holdAll(context);
  }
  if (node) cluster.putNode(node);
  return node;
}

/** The NodeBlock as the API server has it now; undefined where it has none of that name. What is known of it is brought up to date. */
export async function lookAtBlock(
  context: ControllerContext,
  name: string,
): Promise<BlockRecord | undefined> {
  const { cluster, client } = context;
  const before = cluster.blocks.get(name);
  const block = readBlockRecord(await unlessGone(client.get(`${paths.blocks}/${name}`)));
  if (before && isPast(block, before)) {
    cluster.dropBlock(name, before.version);
    holdAll(context);
  }
  if (block) cluster.putBlock(block);
  else if (before) cluster.dropBlock(name, before.version);
  return block;
}

/** The pool as the API server has it now, in the served group too. */
export async function lookAtPool(context: ControllerContext, { kind, name }: PoolReference): Promise<void> {
  const { pairs } = context.cluster;
  const { serve } = context.config;
  const key = poolKey({ kind, name });
  await lookAtOne(context, { kind, name }, pairs.own(key), poolPath(kind, name));
  if (serve && (pairs.listed.has(kind) || pairs.served(key)))
    await lookAtOne(
      context,
      { kind, name },
      pairs.served(key),
      nvPoolPath(kind, { namespace: serve.namespace, name }),
    );
}

async function lookAtOne(
  context: ControllerContext,
  reference: PoolReference,
  before: PoolRecord | undefined,
  path: string,
): Promise<void> {
  const { cluster, client } = context;
  const pool = readPoolRecord(reference.kind, await unlessGone(client.get(path)));
  const drop = (known: PoolRecord) =>
    cluster.dropPool(poolKey(reference), known.version, known.served !== undefined);
  if (before && isPast(pool, before)) {
    drop(before);
    holdAll(context);
    if (pool) putPool(context, pool);
    holdAll(context);
  } else if (pool) putPool(context, pool);
  else if (before) drop(before);
}

/** A change of a NodeBlock as it is known: refused where it is another one by now. Then it is looked at anew, and the error goes on. */
export async function patchBlock(
  context: ControllerContext,
  { name, uid, version }: BlockRecord,
  change: object,
  subresource: "" | "/status" = "",
): Promise<void> {
  const body = { metadata: { uid, resourceVersion: version }, ...change };
  await orLookAnew(context, name, async () => {
    const answer = await context.client.patch(`${paths.blocks}/${name}${subresource}`, body, "merge");
    const block = readBlockRecord(answer);
    if (block) context.cluster.putBlock(block);
  });
}

/** Deletes a NodeBlock that is still what it is known as. */
export async function deleteBlock(
  context: ControllerContext,
  { name, uid, version }: BlockRecord,
): Promise<void> {
  const preconditions = { uid, resourceVersion: version };
  await orLookAnew(context, name, async () => {
    await remove(context.client, `${paths.blocks}/${name}`, preconditions);
    context.cluster.dropBlock(name, version);
  });
}

async function remove(client: Client, path: string, preconditions: object): Promise<void> {
  await unlessGone(client.remove(path, { apiVersion: "v1", kind: "DeleteOptions", preconditions }));
}

async function orLookAnew(context: ControllerContext, name: string, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (isStatus(error, 409) || isStatus(error, 404)) await lookAtBlock(context, name);
    throw error;
  }
}

type Versioned = { uid: string; version: string };

/** Read now, and older than what was known before that: only a restored etcd answers so. */
function isPast(now: Versioned | undefined, before: Versioned | undefined): boolean {
  return now !== undefined && now.uid === before?.uid && Number(now.version) < Number(before.version);
}

/** What was given since the moment that etcd was set back to is unknown: nothing new is given until a person says that it is rebuilt. */
export function holdAll({ cluster, queue, log }: ControllerContext): void {
  cluster.forgetGone();
  const isNew = [...cluster.pools.values()].some(({ setBackAt }) => setBackAt === undefined);
  if (isNew) log.error("etcd was set back: what was given since may be given already", {});
  for (const entry of cluster.pools.values()) {
    entry.setBackAt ??= Date.now();
    queue.add(`pool/${entry.key}`);
  }
}

async function unlessGone<T>(request: Promise<T>): Promise<T | undefined> {
  try {
    return await request;
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}

/** A 404 that names the object: one without says that the path isn't served (yet), which tells nothing of the object. */
function isAbsence(error: unknown): boolean {
  if (!isStatus(error, 404)) return false;
  const details = error.body?.["details"];
  return error.reason === "NotFound" && isObject(details) && typeof details["name"] === "string";
}
