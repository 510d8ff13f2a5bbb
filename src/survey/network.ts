import { readNvIpamConfig } from "../api/nv-ipam-config.ts";
import { type PluginConfig, readConfig } from "../api/plugin-config.ts";
import { poolAnnotationKey } from "../api/pool-names.ts";
import { isObject, type JsonObject } from "../text/json.ts";
import { keyOfAnnotation, podCIDRsKey } from "./node-ranges.ts";

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
    const { plugins, name } = config;
    return Array.isArray(plugins) ? plugins.filter(isObject).map((one) => ({ ...one, name })) : [config];
  } catch {
    return [];
  }
}

function readIpam({ ipam, name }: JsonObject): Omit<Network, "name">[] | undefined {
  if (!isObject(ipam)) return undefined;
  const { type, annotation } = ipam;
  if (type === "node-annotation")
    return typeof annotation === "string" ? [{ key: keyOfAnnotation(annotation), plugin: type }] : undefined;
  if (type !== "kube-node" && type !== "nv-ipam") return undefined;
  const config = (type === "nv-ipam" ? asPooled(ipam, name) : readConfig(ipam)?.config) ?? {};
  const pools = poolKeysOf(config, name);
  const keys =
    pools.length > 0
      ? pools
      : [config.annotation === undefined ? podCIDRsKey : keyOfAnnotation(config.annotation)];
  return keys.map((key) => ({ key, plugin: "kube-node" }));
}

/** nv-ipam's keys mean the same by other names; its file of defaults lies on the nodes. */
function asPooled(ipam: JsonObject, network: unknown): PluginConfig {
  const { poolName, poolType = "ippool" } = readNvIpamConfig(ipam).config;
  return { pool: poolName ?? String(network), poolType };
}

/** Pools by their names, several with commas between them; by the network's, where only their kind is told. */
function poolKeysOf({ pool, poolType }: PluginConfig, network: unknown): string[] {
  if (pool === undefined && poolType === undefined) return [];
  const kind = poolType?.toLowerCase() === "cidrpool" ? "CIDRPool" : "IPPool";
  const names = (pool ?? String(network)).split(",").map((name) => name.trim());
  return names.map((name) => poolAnnotationKey({ kind, name }));
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
