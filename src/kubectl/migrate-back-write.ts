import { deleteAnywayKey, type NodeBlock } from "../api/node-block.ts";
import {
  excludedForPodsKey,
  movedFromKey,
  type NvPool,
  nvPoolPath,
  poolFinalizer,
  poolGridKey,
  readNvPool,
  setBackKey,
} from "../api/nv-ipam.ts";
import { nodeBlocksPath, poolAnnotationKey, poolPath } from "../api/pool-names.ts";
import { unlessAbsent } from "../kube/api-error.ts";
import { eachAtOnce } from "../kube/at-once.ts";
import type { Client } from "../kube/client.ts";
import type { PodExclusions } from "../move/exclude-pods.ts";
import { isMarked, type PoolReturn } from "../move/plan-return.ts";
import { asManager } from "./field-manager.ts";
import type { MigrationNode } from "./migrate-cluster.ts";
import { deletePool } from "./migrate-write.ts";

const width = 16;

/** Makes nv-ipam's pool again where it is gone, and lets its status say all blocks, if it is still as it was read. */
export async function returnPool(client: Client, plan: PoolReturn): Promise<void> {
  const nv = plan.nv ?? (await createNv(client, plan));
  if (plan.missing.length === 0) return;
  const { uid, resourceVersion } = nv;
  const body = { metadata: { uid, resourceVersion }, status: { allocations: plan.allocations } };
  await client.patch(`${nvPoolPath(nv.kind, nv)}/status${asManager}`, body, "merge");
}

async function createNv(client: Client, { object, own }: PoolReturn): Promise<NvPool> {
  if (!object || !own) throw new Error("nv-ipam's pool is gone, and ours too");
  const { namespace = "" } = object.metadata;
  const made = readNvPool(
    own.kind,
    await client.create(nvPoolPath(own.kind, { namespace }) + asManager, object),
  );
  if (!made) throw new Error("the API server's answer is no object");
  return made;
}

/** Keeps the addresses of living pods from being given again, as long as they live; only to the object that this was planned with. */
export async function writeExclusions(
  client: Client,
  nv: NvPool,
  { all, forPods }: PodExclusions,
): Promise<void> {
  const { uid, resourceVersion, kind } = nv;
  const mark = forPods.length > 0 ? JSON.stringify(forPods) : null;
  const metadata = { uid, resourceVersion, annotations: { [excludedForPodsKey]: mark } };
  const spec = { exclusions: all.length > 0 ? all : null };
  await client.patch(nvPoolPath(kind, nv) + asManager, { metadata, spec }, "merge");
}

/**
 * Takes away all that is ours of a pool whose blocks nv-ipam's status carries: first what nodes read, then the claims, then our object, and last
 * what we wrote on nv-ipam's, by which a run that was killed knows what is left.
 */
export async function removeOurs(
  client: Client,
  { nv, own, blocks }: PoolReturn,
  nodes: Iterable<MigrationNode>,
): Promise<void> {
  if (!nv) throw new Error("nv-ipam's pool isn't there");
  const key = poolAnnotationKey(nv);
  const carrying = [...nodes].filter(({ annotations }) => annotations[key] !== undefined);
  await eachAtOnce(carrying, width, ({ name, uid }) =>
    unlessAbsent(
      client.patch(
        `/api/v1/nodes/${name}${asManager}`,
        { metadata: { uid, annotations: { [key]: null } } },
        "merge",
      ),
    ),
  );
  await eachAtOnce(blocks, width, (block) => unlessAbsent(removeInUse(client, block)));
  if (own) await deletePool(client, poolPath(own.kind, own.name), own, poolFinalizer);
  await cleanNv(client, nv);
}

/** Pods may have its addresses, as nv-ipam's status says: a policy of ours refuses that, but to those who insist. */
async function removeInUse(client: Client, block: NodeBlock): Promise<void> {
  const path = `${nodeBlocksPath}/${block.metadata.name}`;
  const { uid, resourceVersion } = (await insist(client, path, block)).metadata;
  const preconditions = { uid, resourceVersion };
  await client.remove(path, { apiVersion: "v1", kind: "DeleteOptions", preconditions });
}

async function insist(client: Client, path: string, block: NodeBlock): Promise<NodeBlock> {
  const { uid, resourceVersion, annotations } = block.metadata;
  if (annotations?.[deleteAnywayKey] === "true") return block;
  const metadata = { uid, resourceVersion, annotations: { [deleteAnywayKey]: "true" } };
  return await client.patch<NodeBlock>(`${path}${asManager}`, { metadata }, "merge");
}

async function cleanNv(client: Client, nv: NvPool): Promise<void> {
  if (!isMarked(nv)) return;
  const { uid, finalizers } = nv;
  const annotations = { [poolGridKey]: null, [movedFromKey]: null, [setBackKey]: null };
  const metadata = { uid, annotations, finalizers: finalizers.filter((one) => one !== poolFinalizer) };
  await client.patch(nvPoolPath(nv.kind, nv) + asManager, { metadata }, "merge");
}
