import { isObject, type JsonObject, parseJson } from "../text/json.ts";

/** A network of a configuration that uses one of our plugins. `dataDir` where the configuration names one. */
export type ConfiguredNetwork = { network: string; dataDir?: string };

/** What a configuration or a list of them says of our networks; nothing where it is about others. Throws where it is no JSON. */
export function parseConfiguredNetworks(text: string): ConfiguredNetwork[] {
  const raw = parseJson(text);
  if (!isObject(raw) || typeof raw["name"] !== "string") return [];
  const plugins: unknown[] = Array.isArray(raw["plugins"]) ? raw["plugins"] : [raw];
  const network = raw["name"];
  return plugins.filter(isObject).flatMap((plugin) => {
    const { ipam } = plugin;
    return isObject(ipam) && isOurs(ipam) ? [{ network, ...dataDirOf(ipam) }] : [];
  });
}

function isOurs({ type }: JsonObject): boolean {
  return type === "kube-node" || type === "node-annotation";
}

/** node-annotation has no such key: what stands there is unread. */
function dataDirOf({ type, dataDir }: JsonObject): { dataDir?: string } {
  return type === "kube-node" && typeof dataDir === "string" && dataDir !== "" ? { dataDir } : {};
}
