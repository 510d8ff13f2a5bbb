import type { Attachment } from "../cni/environment.ts";
import { isLeaseOf, readLeases } from "../lease/store.ts";
import { findRanges, lastKnownRanges } from "../ranges/node-ranges.ts";
import type { JsonObject } from "../text/json.ts";
import { delegateIpam } from "./delegate-config.ts";
import { leaseFolder } from "./lease-folder.ts";
import type { ReadRequest } from "./request.ts";
import { toWanted } from "./wanted-ranges.ts";

/**
 * What a DEL without a record goes by where the annotation may name the dataDir: an original leased there, and kept nothing of that. As long as
 * nothing is known here of that network, its Node is asked, if it answers soon. Undefined: as in any DEL.
 */
export async function leasedBefore(
  request: ReadRequest,
  { containerID, ifname }: Attachment,
): Promise<JsonObject | undefined> {
  const wanted = toWanted(request);
  const usual = readLeases(leaseFolder(request, undefined));
  if (lastKnownRanges(wanted) || usual.some((lease) => isLeaseOf(lease, containerID, ifname)))
    return undefined;
  const { short } = wanted.patience;
  try {
    const { ipam } = await findRanges({ ...wanted, patience: { long: short, short } });
    return delegateIpam(request, request.prepare(ipam));
  } catch (error) {
    request.log.warn("in which dataDir it may have a lease isn't known", {
      error: (error as Error).message,
    });
    return undefined;
  }
}
