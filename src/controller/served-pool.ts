import { type NvPool, nvIpamGroup, readNvPool } from "../api/nv-ipam.ts";
import type { PoolKind } from "../api/pool-kind.ts";
import { controllerName } from "../api/pool-names.ts";
import { isObject, type JsonObject } from "../text/json.ts";

/** What one of nv-ipam's pools says beside what every pool says. */
export type ServedPool = NvPool & {
  /** Its allocations are what this controller wrote there last: everything in them is a NodeBlock's. */
  isOurs: boolean;
};

/** Undefined for what isn't nv-ipam's. */
export function readServedPool(kind: PoolKind, item: unknown): ServedPool | undefined {
  if (!isObject(item) || !String(item["apiVersion"]).startsWith(`${nvIpamGroup}/`)) return undefined;
  const pool = readNvPool(kind, item);
  return pool && { ...pool, ...readAllocations(item), isOurs: isOurs(item) };
}

/** What isn't a list is one foreign value, not nothing. */
function readAllocations({ status }: JsonObject): { allocations?: unknown[] } {
  const found = isObject(status) ? status["allocations"] : undefined;
  return found === undefined || found === null || Array.isArray(found) ? {} : { allocations: [found] };
}

/**
 * The API server notes who wrote what: whoever else changed the allocations since has taken them over. An empty status that nobody wrote
 * holds nothing that could be lost, but isn't ours until it is written.
 */
function isOurs({ metadata }: JsonObject): boolean {
  const managed =
    isObject(metadata) && Array.isArray(metadata["managedFields"]) ? metadata["managedFields"] : [];
  const keys = managed.filter(isObject).flatMap((entry) => {
    const fields = isObject(entry["fieldsV1"]) ? entry["fieldsV1"] : {};
    const status = isObject(fields["f:status"]) ? fields["f:status"] : {};
    const allocations = status["f:allocations"];
    return isObject(allocations) ? [{ manager: entry["manager"], keys: Object.keys(allocations) }] : [];
  });
  const own = keys.find(({ manager }) => manager === controllerName);
  return own !== undefined && keys.every((other) => other.keys.every((key) => own.keys.includes(key)));
}
