import type { Attachment } from "../cni/environment.ts";
import { CniError } from "../cni/error.ts";
import { judge, lookAround } from "../lease/liveness.ts";
import { type Claim, type ListedRecord, listRecords } from "../lease/record.ts";
import { reclaimEmptyLeases, reclaimedContainer } from "../lease/store.ts";
import { giveBack, takeOver } from "../lease/take-over.ts";
import { longestCall } from "../request/budget.ts";
import { leaseFolder } from "../request/lease-folder.ts";
import { makeRecord } from "./attachment.ts";
import { type Held, release } from "./release.ts";
import type { Request } from "./request.ts";

/**
 * Frees what pods hold that are proven dead (lease/liveness.ts), and what a killed host-local left half-made. Returns how
 * many attachments were let go.
 */
export async function releaseDead(request: Request, asking: Attachment): Promise<number> {
  const records = listRecords(request.state.attachments);
  const view = lookAround(asking.netns);
  let released = 0;
  for (const held of records) {
    if (Date.now() >= request.budget.time.deadline) return released;
    const { state, reason } = judge(held, view);
    const { containerID, ifname } = held;
    if (state !== "dead" || (containerID === asking.containerID && ifname === asking.ifname)) continue;
    const claim = claimDead(request, held);
    if (!claim) continue;
    if (await tryToRelease(request, { containerID, ifname }, reason)) released++;
    else giveBack(claim);
  }
  const reclaimed = reclaimEmptyLeases(leaseFolder(request, undefined), longestCall);
  if (reclaimed > 0 && (await tryToRelease(request, reclaimedContainer, "its lease was never written")))
    released++;
  return released;
}

function claimDead(
  request: Request,
  { containerID, ifname, links, record }: ListedRecord,
): Claim | undefined {
  const made = makeRecord(request, { containerID, ifname }, record?.pod ?? {}, record?.ipam);
  const isOfThisBoot = record?.bootID === made.bootID;
  const own = {
    ...made,
    ...(record?.delegate !== undefined && { delegate: record.delegate }),
    ...(isOfThisBoot && record.delegatePid !== undefined && { delegatePid: record.delegatePid }),
  };
  return takeOver(request.state.attachments, own, links);
}

async function tryToRelease(request: Request, held: Held, reason: string): Promise<boolean> {
  try {
    await release(request, held);
    request.log.info("released an attachment that is dead", { ...held, reason });
    return true;
  } catch (error) {
    if (!(error instanceof CniError)) throw error;
    request.log.warn("a dead attachment could not be released", { ...held, reason, error: error.message });
    return false;
  }
}
