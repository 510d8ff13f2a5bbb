import { readConfig } from "../api/plugin-config.ts";
import { poolAnnotationKey } from "../api/pool-names.ts";
import { isObject, type JsonObject } from "../text/json.ts";
import { podCIDRsKey } from "./node-ranges.ts";

/**
 * A NetworkAttachmentDefinition whose addresses one of our plugins gives: `name` is NAMESPACE/NAME, as Multus reports it. One of several
 * pools is there once for each.
 */
export type Network = { name: string; key: string; plugin: "kube-node" | "node-annotation" };

/** What a NetworkAttachmentDefinition says of us; undefined where another IPAM plugin gives the addresses, or none. */
export function readNetworksOf(item: unknown): Network[] | undefined {
  if (!isObject(item) || !isObject(item["metadata"])) return undefined;
  const { namespace, name } = item["metadata"];
  const spec = isObject(item["spec"]) ? item["spec"] : {};
  const ours = pluginsOf(spec["config"])
    .map(readIpam)
    .find((found) => found !== undefined);
  return ours?.map((one) => ({ name: `${namespace}/${name}`, ...one }));
}

/** A configuration is one plugin's, or a list's (`plugins`). */
function pluginsOf(text: unknown): JsonObject[] {
  try {
    const config: unknown = JSON.parse(String(text));
    if (!isObject(config)) return [];
    return Array.isArray(config["plugins"]) ? config["plugins"].filter(isObject) : [config];
  } catch {
    return [];
  }
}

function readIpam({ ipam }: JsonObject): Omit<Network, "name">[] | undefined {
  if (!isObject(ipam)) return undefined;
  const { type } = ipam;
  if (type !== "kube-node" && type !== "node-annotation") return undefined;
  const annotation =
    type === "kube-node" ? readConfig(ipam)?.config.annotation : (ipam["annotation"] as string | undefined);
  if (annotation === undefined && type === "node-annotation") return undefined;
  const keys = annotation === undefined ? poolKeysOf(ipam) : [annotation];
  return (keys.length > 0 ? keys : [podCIDRsKey]).map((key) => ({ key, plugin: type }));
}

/** `pool` or `poolName` names one pool or several with commas between them; `poolType` says of which kind they are. */
function poolKeysOf({ pool, poolName = pool, poolType }: JsonObject): string[] {
  const isCidr = typeof poolType === "string" && poolType.toLowerCase() === "cidrpool";
  const names = typeof poolName === "string" ? poolName.split(",").map((name) => name.trim()) : [];
  return names
    .filter((name) => name !== "")
    .map((name) => poolAnnotationKey({ kind: isCidr ? "CIDRPool" : "IPPool", name }));
}

/** The keys of each network. */
export function keysOfNetworks(networks: readonly Network[]): Map<string, Set<string>> {
  const groups = Map.groupBy(networks, ({ name }) => name);
  return new Map([...groups].map(([name, all]) => [name, new Set(all.map(({ key }) => key))]));
}

/** Networks of the same keys use one address space. */
export function spaceOf(keys: ReadonlyMap<string, ReadonlySet<string>>, network: string): string {
  return [...(keys.get(network) ?? [network])].sort().join(" ");
}
