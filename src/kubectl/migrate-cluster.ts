import type { NodeBlock } from "../api/node-block.ts";
import { movedFromKey, type NvPool, nvPoolPath, readNvPool } from "../api/nv-ipam.ts";
import { type PoolKind, poolKinds } from "../api/pool-kind.ts";
import { nodeBlocksPath, type PoolReference, poolOfAnnotationKey, poolPath } from "../api/pool-names.ts";
import type { PoolStatus } from "../api/pool-status.ts";
import { parseConfiguredPlugins } from "../cni/configured-networks.ts";
import { unlessAbsent } from "../kube/api-error.ts";
import type { Client } from "../kube/client.ts";
import type { PodPlace } from "../move/count-pods.ts";
import type { OwnObject } from "../move/own-object.ts";
import type { PoolNetwork } from "../move/shared-pools.ts";
import type { PoolNode } from "../pool/pool.ts";
import { readNetworksOf } from "../survey/network.ts";
import { readPodAddresses } from "../survey/pod-address.ts";
import { definitions } from "../survey/survey.ts";
import { isObject, type JsonObject } from "../text/json.ts";

export type MigrationNode = PoolNode & { annotations: Record<string, string> };

/** All that a migration asks the cluster for, as it is at one moment. */
export type MigrationCluster = {
  /** Undefined where the API server doesn't know nv-ipam's kinds. */
  nv: NvPool[] | undefined;
  own: OwnObject[];
  blocks: NodeBlock[];
  nodes: Map<string, MigrationNode>;
  pods: PodPlace[];
  /** Networks that name pools; `isNvs` are those that say `type: nv-ipam`. */
  networks: (PoolNetwork & { isNvs: boolean })[];
  /** Nodes on which a pod of the agent is ready. */
  agents: Set<string>;
};

/** Pools before NodeBlocks and Nodes: what is claimed is compared with what came later. */
export async function readMigrationCluster(client: Client): Promise<MigrationCluster> {
  const nv = await Promise.all(
    poolKinds.map((kind) => unlessAbsent(client.list(nvPoolPath(kind), (item) => readNvPool(kind, item)))),
  );
  const own = await Promise.all(
    poolKinds.map((kind) => unlessAbsent(client.list(poolPath(kind), (item) => readOwnObject(kind, item)))),
  );
  const blocks = await unlessAbsent(client.list(nodeBlocksPath, (item) => item as NodeBlock));
  if (!blocks || own.includes(undefined))
    throw new Error(
      "this cluster doesn't know IPPools, CIDRPools and NodeBlocks of ipam.kube-node.io: apply examples/controller/crds first",
    );
  const nodes = await client.list("/api/v1/nodes", readNode);
  const pods: PodPlace[] = [];
  const agents = new Set<string>();
  await client.list("/api/v1/pods", (item) => {
    pods.push(...(readPodAddresses(item) ?? []));
    const node = nodeOfAgent(item);
    if (node !== undefined) agents.add(node);
    return undefined;
  });
  return {
    nv: nv.every((one) => one === undefined) ? undefined : nv.flatMap((one) => one ?? []),
    own: own.flatMap((one) => one ?? []),
    blocks,
    nodes: new Map(nodes.map((node) => [node.name, node])),
    pods,
    networks: (await unlessAbsent(client.list(definitions, readPoolNetwork))) ?? [],
    agents,
  };
}

/** `IPPool a`, for sentences. */
export function nameOfPool({ kind, name }: PoolReference): string {
  return `${kind} ${name}`;
}

/** One of our own pools, with what says where it comes from. */
export function readOwnObject(kind: PoolKind, item: unknown): OwnObject | undefined {
  if (!isObject(item) || !isObject(item["metadata"])) return undefined;
  const { name, uid, resourceVersion, finalizers, labels, annotations } = item["metadata"];
  const status = (isObject(item["status"]) ? item["status"] : {}) as PoolStatus;
  const ready = status.conditions?.find(({ type }) => type === "Ready");
  return {
    ...{ kind, name: String(name), uid: String(uid), resourceVersion: String(resourceVersion) },
    finalizers: Array.isArray(finalizers) ? finalizers.map(String) : [],
    labels: textsOf(labels),
    annotations: textsOf(annotations),
    spec: isObject(item["spec"]) ? item["spec"] : {},
    grid: status.grid,
    isReady: ready?.status === "True",
  };
}

function readNode(item: unknown): MigrationNode | undefined {
  if (!isObject(item) || !isObject(item["metadata"])) return undefined;
  const { name, uid, labels, annotations } = item["metadata"];
  const kept = Object.entries(textsOf(annotations)).filter(
    ([key]) => poolOfAnnotationKey(key) !== undefined || key === movedFromKey,
  );
  return {
    ...{ name: String(name), uid: String(uid) },
    labels: textsOf(labels),
    annotations: Object.fromEntries(kept),
  };
}

function textsOf(value: unknown): Record<string, string> {
  return isObject(value) ? (value as Record<string, string>) : {};
}

/** The Node of a pod of the agent that is ready. */
function nodeOfAgent(item: unknown): string | undefined {
  const { metadata, spec, status } = (isObject(item) ? item : {}) as Record<string, JsonObject>;
  const labels = textsOf(metadata?.["labels"]);
  if (labels["app.kubernetes.io/name"] !== "kube-node-agent") return undefined;
  const conditions = status?.["conditions"];
  const isReady =
    Array.isArray(conditions) &&
    conditions.some((one) => isObject(one) && one["type"] === "Ready" && one["status"] === "True");
  return isReady ? String(spec?.["nodeName"]) : undefined;
}

function readPoolNetwork(item: unknown): MigrationCluster["networks"][number] | undefined {
  const [first, ...more] = readNetworksOf(item) ?? [];
  if (!first || !isObject(item) || !isObject(item["spec"]) || !isObject(item["metadata"])) return undefined;
  const { config } = item["spec"];
  // Multus gives a configuration without a name that of its definition.
  const [plugin] = parseConfiguredPlugins(String(config), String(item["metadata"]["name"]));
  return {
    definition: first.name,
    network: plugin?.raw.name ?? first.name,
    keys: [first, ...more].map(({ key }) => key),
    isNvs: plugin?.plugin === "nv-ipam",
  };
}
