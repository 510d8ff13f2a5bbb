import { readdirSync } from "node:fs";
import { parseCidr } from "../address/cidr.ts";
import { isErrno, readText } from "../host/files.ts";
import { defaultDataDir } from "../lease/store.ts";
import { isObject } from "../text/json.ts";
import { type Refuse, refuseSilently } from "./wanted.ts";

/**
 * The networks in `kube-node.json`, the original's cache (app.go: readCache, validateHostLocalIPAM), hand-made ones
 * too; undefined where there is none or where it may be another network's, since it doesn't say whose it is.
 */
export function readLegacyCache(
  dataDir: string | undefined,
  network: string,
  refuse: Refuse = refuseSilently,
): string[] | undefined {
  const path = pathOfLegacyCache(dataDir, network);
  try {
    const text = readText(path);
    if (text === undefined) return refuse("there is no kube-node.json of the original's");
    if (dataDir !== undefined && !servesOnly(dataDir, network))
      return refuse(`${path} may be another network's`);
    return subnetsOf(JSON.parse(text)) ?? refuse(`${path} holds no ranges`);
  } catch {
    return refuse(`${path} can't be read`); // No file, or no JSON: the original passes over it too.
  }
}

/** Where the original keeps it. */
export function pathOfLegacyCache(dataDir: string | undefined, network: string): string {
  return `${dataDir ?? `${defaultDataDir}/${network}`}/kube-node.json`;
}

function servesOnly(dataDir: string, network: string): boolean {
  try {
    const folders = readdirSync(dataDir, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return folders.every(({ name }) => name === network || name.startsWith("."));
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR", "EACCES")) return false;
    throw error;
  }
}

/** Undefined for what the original passes over. */
export function subnetsOf(ipam: unknown): string[] | undefined {
  if (!isObject(ipam) || ipam["type"] !== "host-local" || !Array.isArray(ipam["ranges"])) return undefined;
  const subnets = ipam["ranges"].map((set: unknown) => {
    const range: unknown = Array.isArray(set) && set.length === 1 ? set[0] : undefined;
    return isObject(range) && typeof range["subnet"] === "string" ? range["subnet"] : "";
  });
  const networks = subnets.map(parseCidr);
  if (networks.length < 1 || networks.length > 2 || networks.includes(undefined)) return undefined;
  return networks.length === 2 && networks[0]?.ip.family === networks[1]?.ip.family ? undefined : subnets;
}
