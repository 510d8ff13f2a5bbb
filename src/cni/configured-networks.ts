import { isObject, type JsonObject, parseJson } from "../text/json.ts";

/** A network of a configuration that uses one of our plugins. `dataDir` where the configuration names one. */
export type ConfiguredNetwork = { network: string; dataDir?: string };

/** What `ipam.type` says where one of ours is meant. */
const programs = ["kube-node", "node-annotation", "nv-ipam"] as const;

/** One of our plugins in a configuration, with what it gets on standard input as far as it is known before a call. */
export type ConfiguredPlugin = {
  plugin: (typeof programs)[number];
  raw: JsonObject & { name: string };
};

/** What a configuration or a list of them says of our networks; nothing where it is about others. Throws where it is no JSON. */
export function parseConfiguredNetworks(text: string): ConfiguredNetwork[] {
  return parseConfiguredPlugins(text).map(({ plugin, raw }) => {
    // node-annotation has no such key: what stands there is unread.
    const dataDir =
      plugin !== "node-annotation" && isObject(raw["ipam"]) ? raw["ipam"]["dataDir"] : undefined;
    return { network: raw.name, ...(typeof dataDir === "string" && dataDir !== "" && { dataDir }) };
  });
}

/** The same with all that stands there. `name` is for a configuration without one, as Multus has it of its definition. */
export function parseConfiguredPlugins(text: string, name?: string): ConfiguredPlugin[] {
  const raw = parseJson(text);
  const network = isObject(raw) ? (raw["name"] ?? name) : undefined;
  if (!isObject(raw) || typeof network !== "string") return [];
  const isList = Array.isArray(raw["plugins"]);
  const plugins: unknown[] = isList ? (raw["plugins"] as unknown[]) : [raw];
  const version = raw["cniVersion"] === undefined ? {} : { cniVersion: raw["cniVersion"] };
  return plugins.filter(isObject).flatMap((one) => {
    const plugin = isObject(one["ipam"]) ? one["ipam"]["type"] : undefined;
    const ours = programs.find((name) => name === plugin);
    if (ours === undefined) return [];
    return [{ plugin: ours, raw: { ...one, ...version, name: network } }];
  });
}
