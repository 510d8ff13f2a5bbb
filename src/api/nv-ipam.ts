import { isObject, type JsonObject } from "../text/json.ts";
import type { PoolKind } from "./pool-kind.ts";
import type { PoolReference } from "./pool-names.ts";

/** nv-ipam's group and version: its IPPools and CIDRPools are namespaced. */
export const nvIpamGroup = "nv-ipam.nvidia.com";
export const nvIpamVersion = "v1alpha1";

/** The prefix of annotations that its early versions wrote on Nodes: `ipam.nvidia.com/ip-blocks`. */
export const nvIpamNodeGroup = "ipam.nvidia.com";

/** Where its pools of a kind are: everywhere, in a namespace, or one of them. */
export function nvPoolPath(kind: PoolKind, place?: { namespace: string; name?: string }): string {
  const group = `/apis/${nvIpamGroup}/${nvIpamVersion}`;
  const folder = `${kind.toLowerCase()}s`;
  if (!place) return `${group}/${folder}`;
  const all = `${group}/namespaces/${encodeURIComponent(place.namespace)}/${folder}`;
  return place.name === undefined ? all : `${all}/${place.name}`;
}

/** The Lease that nv-ipam's controller holds while it runs, in its namespace. */
export const nvIpamLease = "dd1643cf.nvidia.com";

/** The annotation of one of nv-ipam's pools that holds its frozen grid, `{"first", "size"}`: its status has no place for that. */
export const poolGridKey = "ipam.kube-node.io/grid";

/** A pool's annotation: the UIDs, with commas between them, of the objects that it was before. Their NodeBlocks are its own. */
export const movedFromKey = "ipam.kube-node.io/moved-from";

/** The label of a NodeBlock that was made for a pool of the served group: a controller that doesn't serve it leaves it alone. */
export const servedLabel = "ipam.kube-node.io/served-group";

/** nv-ipam's spec has no place for `allowOverlap`; this annotation of its pools stands for it. */
export const allowOverlapKey = "ipam.kube-node.io/allow-overlap";

/** Nor has its status one for the condition SetBack: since when. */
export const setBackKey = "ipam.kube-node.io/set-back";

/** The annotation of nv-ipam's pools that lists those of its exclusions that stand there for pods of ours, since its store doesn't know them. */
export const excludedForPodsKey = "ipam.kube-node.io/excluded-for-pods";

/** The finalizer by which a pool waits until its blocks are free. */
export const poolFinalizer = "ipam.kube-node.io/blocks";

/** An item of `status.allocations`: of an IPPool, and of a CIDRPool. */
export type NvAllocation =
  | { nodeName: string; startIP: string; endIP: string }
  | { nodeName: string; prefix: string; gateway?: string };

/** One of nv-ipam's pools, as it stands there: what a person may have written, unchecked. */
export type NvPool = PoolReference & {
  namespace: string;
  uid: string;
  resourceVersion: string;
  deleting: boolean;
  finalizers: string[];
  labels: Record<string, string>;
  annotations: Record<string, string>;
  spec: JsonObject;
  allocations: unknown[];
};

/** Undefined where it is no object of the API. */
export function readNvPool(kind: PoolKind, item: unknown): NvPool | undefined {
  if (!isObject(item) || !isObject(item["metadata"])) return undefined;
  const { name, namespace, uid, resourceVersion, deletionTimestamp, finalizers, labels, annotations } =
    item["metadata"];
  const status = isObject(item["status"]) ? item["status"] : {};
  const { allocations } = status;
  return {
    ...{ kind, name: String(name), namespace: String(namespace), uid: String(uid) },
    resourceVersion: String(resourceVersion),
    deleting: deletionTimestamp !== undefined,
    finalizers: Array.isArray(finalizers) ? finalizers.map(String) : [],
    labels: (isObject(labels) ? labels : {}) as Record<string, string>,
    annotations: (isObject(annotations) ? annotations : {}) as Record<string, string>,
    spec: isObject(item["spec"]) ? item["spec"] : {},
    allocations: Array.isArray(allocations) ? allocations : [],
  };
}

/** The UIDs that a pool had, this one's among them. */
export function uidsOfPool({
  uid,
  annotations,
}: {
  uid: string;
  annotations: Readonly<Record<string, string>>;
}): string[] {
  const before = (annotations[movedFromKey] ?? "").split(",").map((one) => one.trim());
  return [uid, ...before.filter((one) => one !== "")];
}
