import { formatIp, parseIp } from "../address/ip.ts";
import { listFolder, readText } from "../host/files.ts";
import { isObject, type JsonObject } from "../text/json.ts";

/** What libcni keeps of an attachment that a runtime made, until its DEL: which network it is in, and where its namespace is. */
export type Cached = {
  network: string;
  containerID: string;
  ifname: string;
  netns: string | undefined;
  addresses: string[];
  pod: { namespace?: string; name?: string; uid?: string };
};

/** libcni's folder, which container runtimes use, and Multus's own. */
const usualFolders = ["/var/lib/cni/results", "/var/lib/cni/multus/results"];

/** All that libcni kept (libcni/api.go, cachedInfo); files of another kind are passed over. */
export function readLibcniCache(folders: readonly string[] = usualFolders): Cached[] {
  return folders.flatMap((folder) =>
    listFolder(folder).flatMap((name) => readCached(`${folder}/${name}`) ?? []),
  );
}

function readCached(path: string): Cached | undefined {
  try {
    const value: unknown = JSON.parse(readText(path) ?? "");
    if (!isObject(value) || value["kind"] !== "cniCacheV1") return undefined;
    const { networkName, containerId, ifName, netns, cniArgs, result } = value;
    if (![networkName, containerId, ifName].every((text) => typeof text === "string")) return undefined;
    return {
      network: networkName as string,
      containerID: containerId as string,
      ifname: ifName as string,
      netns: typeof netns === "string" && netns !== "" ? netns : undefined,
      addresses: isObject(result) ? addressesIn(result) : [],
      pod: podIn(cniArgs),
    };
  } catch {
    return undefined; // Half-written, gone meanwhile, or something else.
  }
}

/** In the shape of any version: `ips`, or `ip4` and `ip6`. */
function addressesIn(result: JsonObject): string[] {
  const ips: unknown[] = Array.isArray(result["ips"]) ? result["ips"] : [];
  const texts = [
    ...ips.map((one) => (isObject(one) ? one["address"] : undefined)),
    ...["ip4", "ip6"].map((key) => (isObject(result[key]) ? result[key]["ip"] : undefined)),
  ];
  return texts.flatMap((text) => {
    const ip = typeof text === "string" ? parseIp(text.split("/")[0] ?? "") : undefined;
    return ip ? [formatIp(ip)] : [];
  });
}

function podIn(cniArgs: unknown): Cached["pod"] {
  const pairs: unknown[] = Array.isArray(cniArgs) ? cniArgs : [];
  const find = (name: string) => {
    const value = pairs.find((pair) => Array.isArray(pair) && pair[0] === name);
    return Array.isArray(value) && typeof value[1] === "string" && value[1] !== "" ? value[1] : undefined;
  };
  const [namespace, name, uid] = ["K8S_POD_NAMESPACE", "K8S_POD_NAME", "K8S_POD_UID"].map(find);
  return { ...(namespace && { namespace }), ...(name && { name }), ...(uid && { uid }) };
}
