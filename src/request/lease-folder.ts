import { storeFolder } from "../lease/store.ts";
import type { JsonObject } from "../text/json.ts";
import type { ReadRequest } from "./request.ts";

/** Where this network's leases lie: a Node's annotation may name a dataDir of its own. */
export function leaseFolder(request: ReadRequest, ipam: JsonObject | undefined): string {
  const own = ipam?.["dataDir"];
  return storeFolder(typeof own === "string" ? own : request.dataDir, request.network.name);
}
