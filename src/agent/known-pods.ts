import type { AttachmentRecord } from "../lease/record.ts";
import { isObject } from "../text/json.ts";

/** This node's pods as the API server has them: all that there were at `asOf`, in seconds of uptime. */
export type KnownPods = { asOf: number; uids: ReadonlySet<string>; names: ReadonlySet<string> };

/** Who a pod is, for its runtime and for the API server. */
export type PodIdentity = { name: string; uids: string[] };

/** A pod that has ended for good is as good as none. A static pod's runtime knows it by the hash of its file; in the API its mirror has another UID, and the hash as an annotation. */
export function identify(pod: unknown): PodIdentity | undefined {
  const metadata = isObject(pod) ? pod["metadata"] : undefined;
  if (!isObject(pod) || !isObject(metadata)) return undefined;
  const phase = isObject(pod["status"]) ? pod["status"]["phase"] : undefined;
  if (phase === "Succeeded" || phase === "Failed") return undefined;
  const annotations = isObject(metadata["annotations"]) ? metadata["annotations"] : {};
  const uids = [
    metadata["uid"],
    annotations["kubernetes.io/config.hash"],
    annotations["kubernetes.io/config.mirror"],
  ].filter((uid) => typeof uid === "string");
  return { name: `${metadata["namespace"]}/${metadata["name"]}`, uids };
}

export function gather(pods: Iterable<PodIdentity>, asOf: number): KnownPods {
  const all = [...pods];
  return {
    asOf,
    uids: new Set(all.flatMap(({ uids }) => uids)),
    names: new Set(all.map(({ name }) => name)),
  };
}

/** `absent` only where the pods are known as of later than the attachment was made. By UID where the record has one: a pod of the same name may be another. */
export function findPod(
  pods: KnownPods | undefined,
  { pod, uptime }: Pick<AttachmentRecord, "pod" | "uptime">,
): "present" | "absent" | "unknown" {
  if (!pods || !pod) return "unknown";
  const isNamed = pod.namespace !== undefined && pod.name !== undefined;
  if (pod.uid === undefined && !isNamed) return "unknown";
  const isThere =
    pod.uid === undefined ? pods.names.has(`${pod.namespace}/${pod.name}`) : pods.uids.has(pod.uid);
  if (isThere) return "present";
  return uptime < pods.asOf ? "absent" : "unknown";
}
