import { dirname, join } from "node:path";
import { CniError, code } from "../cni/error.ts";
import { type Network, parseNetwork } from "../cni/network.ts";
import { readText, readToEnd } from "../host/files.ts";
import { isObject, type JsonObject } from "../text/json.ts";
import { word } from "./command.ts";

const programs = ["kube-node", "node-annotation", "nv-ipam"] as const;

/** A network configuration of ours, as it stands in a file: alone, or one of a list (*.conflist). */
export type Configuration = {
  /** Where it was read, for people. */
  origin: string;
  /** Which of our plugins it names as its IPAM plugin. */
  program: (typeof programs)[number];
  /** What that plugin would get on standard input, as far as it is known before a call. */
  network: Network;
};

/** A network configuration that is other plugins' business. */
export class NotOurs extends CniError {}

/** CONF, as commands take it. */
export const confInput = word(
  "a plugin configuration, or a conflist with one for kube-node; - is standard input",
);

const longestFile = 4 << 20;

/** Reads a plugin configuration, or of a list the plugin that uses one of ours; `-` is standard input. */
export function readConfiguration(path: string): Configuration {
  const origin = path === "-" ? "standard input" : path;
  try {
    const { raw } = parseNetwork(readWhole(path));
    const plugin = choosePlugin(raw);
    const network = plugin === raw ? raw : asIfAlone(raw, plugin);
    return { origin, program: programOf(plugin), network: parseNetwork(JSON.stringify(network)) };
  } catch (error) {
    if (!(error instanceof CniError)) throw error;
    const Kind = error instanceof NotOurs ? NotOurs : CniError;
    throw new Kind(error.code, `${origin}: ${error.message}`, error.details, error);
  }
}

function readWhole(path: string): string {
  if (path === "-") return readToEnd(0, longestFile);
  const text = readText(path, longestFile);
  if (text !== undefined) return text;
  const where = path.startsWith("/") ? dirname(path) : join(process.cwd(), dirname(path));
  throw new CniError(
    code.io,
    "there is no such file",
    `configurations usually lie in /etc/cni/net.d; looked in ${where}`,
  );
}

/** A list's plugin with one of ours in ipam.type; the document itself where it is no list. */
function choosePlugin(raw: JsonObject): JsonObject {
  const { plugins } = raw;
  if (!Array.isArray(plugins)) return raw;
  const ours = plugins.filter(isObject).find((plugin) => isOurs(ipamType(plugin)));
  if (ours) return ours;
  const types = plugins.map((plugin) => ipamType(isObject(plugin) ? plugin : {}) ?? "none");
  throw new NotOurs(
    code.invalidConfig,
    `no plugin of the list has kube-node, node-annotation or nv-ipam as its ipam.type`,
    `found ${types.join(", ") || "no plugins"}`,
  );
}

/** As a runtime gives it to the plugin: the list's name and version count. */
function asIfAlone({ cniVersion, name }: JsonObject, plugin: JsonObject): JsonObject {
  const { cniVersion: _version, name: _name, ...rest } = plugin;
  return { ...(cniVersion !== undefined && { cniVersion }), name, ...rest };
}

function programOf(plugin: JsonObject): Configuration["program"] {
  const type = ipamType(plugin);
  if (isOurs(type)) return type;
  throw new NotOurs(
    code.invalidConfig,
    "it is no configuration for kube-node",
    `ipam.type: expected kube-node, node-annotation or nv-ipam, found ${JSON.stringify(type) ?? "nothing"}`,
  );
}

function ipamType({ ipam }: JsonObject): unknown {
  return isObject(ipam) ? ipam["type"] : undefined;
}

function isOurs(type: unknown): type is Configuration["program"] {
  return (programs as readonly unknown[]).includes(type);
}
