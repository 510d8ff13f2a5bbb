import { formatIp, parseIp } from "../address/ip.ts";
import { isObject, type JsonObject } from "../text/json.ts";

/**
 * An address that a living pod has: `address` in canonical text, `network` NAMESPACE/NAME of the NetworkAttachmentDefinition or
 * `podNetwork`, `since` when the kubelet took the pod on (ISO 8601).
 */
export type PodAddress = {
  address: string;
  namespace: string;
  pod: string;
  node: string;
  network: string;
  since: string;
};

/** The network that every pod has, named by no NetworkAttachmentDefinition. */
export const podNetwork = "pod network";

/** Where Multus says what it gave a pod (Network Plumbing Working Group, version 1, section 4). */
const networkStatus = "k8s.v1.cni.cncf.io/network-status";

/** A pod's addresses; none where it uses its node's network, isn't on a node yet, or has ended: host-local has them back then. */
export function readPodAddresses(item: unknown): PodAddress[] | undefined {
  if (!isObject(item) || !isObject(item["metadata"])) return undefined;
  const { namespace, name, annotations, creationTimestamp } = item["metadata"];
  const spec = isObject(item["spec"]) ? item["spec"] : {};
  const status = isObject(item["status"]) ? item["status"] : {};
  if (spec["hostNetwork"] === true || !spec["nodeName"]) return undefined;
  if (status["phase"] === "Succeeded" || status["phase"] === "Failed") return undefined;
  const holder = {
    namespace: String(namespace),
    pod: String(name),
    node: String(spec["nodeName"]),
    since: String(status["startTime"] ?? creationTimestamp ?? ""),
  };
  const reported = isObject(annotations) ? readNetworkStatus(annotations[networkStatus]) : [];
  const all = [...own(status).map((address) => ({ address, network: podNetwork })), ...reported];
  const known = new Map(all.map((one) => [`${one.network} ${one.address}`, one]));
  return [...known.values()].map((one) => ({ ...one, ...holder }));
}

function own({ podIPs, podIP }: JsonObject): string[] {
  const listed = Array.isArray(podIPs) ? podIPs.map((entry) => (isObject(entry) ? entry["ip"] : entry)) : [];
  return canonical(listed.length > 0 ? listed : [podIP]);
}

/** The default network's entry repeats podIPs. */
function readNetworkStatus(text: unknown): { address: string; network: string }[] {
  const entries = typeof text === "string" ? parse(text) : [];
  return entries.flatMap(({ name, ips, ...entry }) => {
    const network = entry["default"] === true ? podNetwork : String(name);
    return canonical(Array.isArray(ips) ? ips : []).map((address) => ({ address, network }));
  });
}

function parse(text: string): JsonObject[] {
  try {
    const entries: unknown = JSON.parse(text);
    return Array.isArray(entries) ? entries.filter(isObject) : [];
  } catch {
    return [];
  }
}

function canonical(texts: unknown[]): string[] {
  return texts.flatMap((text) => {
    const ip = typeof text === "string" ? parseIp(text) : undefined;
    return ip ? [formatIp(ip)] : [];
  });
}
