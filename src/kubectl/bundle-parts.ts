import { isObject, type JsonObject } from "../text/json.ts";

/** Annotations that say nothing of a network may say anything: their keys are kept, their values are not. */
const known =
  /kube-node|k8s\.v1\.cni\.cncf\.io|k8s\.ovn\.org|projectcalico|flannel|cilium|nv-ipam|whereabouts/;
const notTaken = "[not taken]";

/** A Node without what has nothing to do with addresses. `isRanges` are the annotations that hold ranges. */
export function pickNode(item: unknown, isRanges: (key: string) => boolean): JsonObject {
  const { metadata, spec, status } = partsOf(item);
  return {
    metadata: pickMetadata(metadata, isRanges),
    spec: pick(spec, "podCIDR", "podCIDRs", "providerID", "taints", "unschedulable"),
    status: pick(status, "addresses", "conditions", "nodeInfo", "capacity", "allocatable"),
  };
}

/** A Pod's addresses and how it is; nothing of its containers but their names and states: environment and commands hold secrets. */
export function pickPod(item: unknown): JsonObject {
  const { metadata, spec, status } = partsOf(item);
  return {
    metadata: pickMetadata(metadata, () => false),
    spec: pick(spec, "nodeName", "hostNetwork", "runtimeClassName", "priorityClassName"),
    status: pick(status, "phase", "podIPs", "hostIPs", "conditions", "startTime", "reason", "message"),
  };
}

/** An event in one line's worth. */
export function pickEvent(item: unknown): JsonObject {
  const event = isObject(item) ? item : {};
  const keys = ["type", "reason", "message", "count", "firstTimestamp", "lastTimestamp", "eventTime"];
  return pick(event, "involvedObject", ...keys, "source", "reportingComponent");
}

/** Name and what is written in an object that is all configuration: a NetworkAttachmentDefinition, a ConfigMap. */
export function pickConfiguration(item: unknown): JsonObject {
  const { metadata } = partsOf(item);
  const { spec, data } = isObject(item) ? item : {};
  return {
    metadata: pickMetadata(metadata, () => false),
    ...(spec !== undefined && { spec }),
    ...(data !== undefined && { data }),
  };
}

/** A pool or a NodeBlock: all that is written in it, and what became of it. */
export function pickWithStatus(item: unknown): JsonObject {
  return { ...pickConfiguration(item), status: partsOf(item).status };
}

function pickMetadata(metadata: JsonObject, isRanges: (key: string) => boolean): JsonObject {
  const { annotations } = metadata;
  const kept = Object.entries(isObject(annotations) ? annotations : {}).map(([key, value]) => [
    key,
    isRanges(key) || known.test(key) ? value : notTaken,
  ]);
  const facts = ["namespace", "name", "uid", "resourceVersion", "creationTimestamp", "deletionTimestamp"];
  return { ...pick(metadata, ...facts, "labels"), annotations: Object.fromEntries(kept) };
}

function partsOf(item: unknown): { metadata: JsonObject; spec: JsonObject; status: JsonObject } {
  const part = (key: string) => (isObject(item) && isObject(item[key]) ? item[key] : {});
  return { metadata: part("metadata"), spec: part("spec"), status: part("status") };
}

function pick(object: JsonObject, ...keys: string[]): JsonObject {
  return Object.fromEntries(keys.flatMap((key) => (object[key] === undefined ? [] : [[key, object[key]]])));
}
