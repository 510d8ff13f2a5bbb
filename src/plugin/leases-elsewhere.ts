import { resolve } from "node:path";
import { formatIp } from "../address/ip.ts";
import { CniError, code } from "../cni/error.ts";
import { readText } from "../host/files.ts";
import { uptime } from "../host/machine.ts";
import { defaultDataDir, isOlder, readLeases, storeFolder } from "../lease/store.ts";
import { pathOfLegacyCache, subnetsOf } from "../ranges/legacy-cache.ts";
import { isObject } from "../text/json.ts";
import type { Request } from "./request.ts";

/**
 * The original gave addresses out of the dataDir that its cache names, whatever the configuration says: where pods hold some of them, the
 * store of the configuration's dataDir would give them once more.
 */
export function refuseLeasesElsewhere({ dataDir, network }: Request): void {
  const path = pathOfLegacyCache(dataDir, network.name);
  const named = dataDirIn(path);
  if (named === undefined || resolve(named) === resolve(dataDir ?? defaultDataDir)) return;
  const boot = Date.now() - uptime() * 1000;
  const leases = readLeases(storeFolder(named, network.name)).filter(({ path }) => !isOlder(path, boot));
  if (leases.length === 0) return;
  const some = leases.slice(0, 3).map(({ ip }) => formatIp(ip));
  const all = `${some.join(", ")}${leases.length > 3 ? `, … (${leases.length})` : ""}`;
  throw new CniError(
    code.invalidConfig,
    `leases of network ${network.name} lie in another dataDir, and would be given twice`,
    `${path} names ${named}, where the original leased ${all}: set ipam.dataDir to that, or move the file away once their pods are gone`,
  );
}

/** Undefined where there is no cache that the original would have gone by. */
function dataDirIn(path: string): string | undefined {
  try {
    const ipam: unknown = JSON.parse(readText(path) ?? "null");
    const named = subnetsOf(ipam) && isObject(ipam) ? ipam["dataDir"] || defaultDataDir : undefined;
    return typeof named === "string" ? named : undefined;
  } catch {
    return undefined; // The original passes over it, too.
  }
}
