import { type RangeUse, rangeSetsOf, useOf } from "../lease/range-use.ts";
import { readLeases } from "../lease/store.ts";
import { delegateIpam } from "../request/delegate-config.ts";
import { leaseFolder } from "../request/lease-folder.ts";
import type { ReadRequest } from "../request/request.ts";
import type { JsonObject } from "../text/json.ts";

/** A range that an ADD would use, with what is used of it; `set` counts the range sets from 0. */
export type NetworkRange = RangeUse & { set: number };

/** The ranges in what was found on the Node; none where they aren't in host-local's form. */
export function usesOf(request: ReadRequest, found: JsonObject): NetworkRange[] {
  const ipam = delegateIpam(request, request.prepare(found));
  const taken = readLeases(leaseFolder(request, ipam)).map(({ ip }) => ip);
  return rangeSetsOf(ipam).flatMap((set, index) =>
    set.map((range) => ({ ...useOf(range, taken), set: index })),
  );
}
