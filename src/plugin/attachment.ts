import { setTimeout as pause } from "node:timers/promises";
import { formatIp } from "../address/ip.ts";
import type { Attachment, Pod } from "../cni/environment.ts";
import { CniError, code } from "../cni/error.ts";
import { isErrno } from "../host/files.ts";
import { bootID, uptime } from "../host/machine.ts";
import { namespaceID, viewpoint } from "../host/network-namespace.ts";
import { oneAtATime } from "../host/one-at-a-time.ts";
import { hasEnded } from "../host/process.ts";
import { type AttachmentRecord, type Claim, claim, type FoundRecord, findRecord } from "../lease/record.ts";
import { adoptStore, isAdopted } from "../lease/state.ts";
import { isLeaseOf, readLeases } from "../lease/store.ts";
import { longestCall } from "../request/budget.ts";
import { leaseFolder } from "../request/lease-folder.ts";
import type { JsonObject } from "../text/json.ts";
import { halfTime } from "./earlier-call.ts";
import type { Request } from "./request.ts";

/** `tookOver` is a dead claim whose leases are to be released first. */
type Claimed = { claim: Claim; tookOver?: FoundRecord };

/**
 * Claims (container, interface) with the record of this ADD. Waits for half of the call's time where somebody frees what is left of
 * an earlier life of the container. Throws 101 where the attachment has addresses, 11 where another call is at work on it.
 */
export async function claimAttachment(
  request: Request,
  attachment: Attachment,
  pod: Pod,
  ipam: JsonObject,
): Promise<Claimed> {
  const delegatePid = await request.early.pid();
  const record = { ...makeRecord(request, attachment, pod, ipam), ...(delegatePid && { delegatePid }) };
  let mayAdopt = true;
  for (const end = halfTime(request); ; ) {
    try {
      return take(request, attachment, record);
    } catch (error) {
      if (isErrno(error, "ENOENT") && mayAdopt) await adopt(request, leaseFolder(request, ipam));
      else if (error instanceof BeingReleasedError && Date.now() < end) await pause(10);
      else throw error;
      mayAdopt &&= error instanceof BeingReleasedError;
    }
  }
}

/** Somebody frees what is left of an earlier life of the container: soon that is done. */
class BeingReleasedError extends CniError {}

/** A lease of an old release names no interface: it stands for all of the container's. */
function take(request: Request, attachment: Attachment, record: AttachmentRecord): Claimed {
  const { attachments } = request.state;
  const dead: FoundRecord[] = [];
  const judge = (held: FoundRecord) => {
    judgeClaim(held, request, attachment, record);
    dead.push(held);
  };
  const ofAnyInterface = findRecord(attachments, record.containerID, "");
  if (ofAnyInterface) judge(ofAnyInterface);
  const held = claim(attachments, record, judge);
  const tookOver = dead.at(-1);
  return { claim: held, ...(tookOver && { tookOver }) };
}

/** A burst on a node that has just got us finds the store unadopted all at once: one does it for all. */
async function adopt(request: Request, store: string): Promise<void> {
  const { state, budget } = request;
  if (request.mayHaveLegacyCache) (await import("./leases-elsewhere.ts")).refuseLeasesElsewhere(request);
  const done = () => isAdopted(state) || undefined;
  await oneAtATime(state.folder, "adopting", budget.patience.short * 1000, done, async () => {
    if (!isAdopted(state)) adoptStore(state, store);
    return true;
  });
}

/** What is known of an attachment now; `ipam` is what its delegate gets. */
export function makeRecord(
  { delegate }: Request,
  attachment: Attachment,
  pod: Pod,
  ipam: JsonObject | undefined,
): AttachmentRecord {
  const netnsID = attachment.netns === undefined ? undefined : namespaceID(attachment.netns);
  return {
    version: 1,
    ...attachment,
    ...(netnsID !== undefined && netnsID !== "gone" && { netnsID, viewpoint: viewpoint() }),
    ...(Object.keys(pod).length > 0 && { pod }),
    delegate: delegate.path ?? delegate.name,
    ...(ipam && { ipam }),
    time: new Date().toISOString(),
    bootID: bootID(),
    uptime: uptime(),
    nonce: `${process.pid}-${Math.floor(Math.random() * 1e9).toString(36)}`,
  };
}

/**
 * Returns where the claim is dead: of an earlier boot, without a lease and older than any call can live, or of a release
 * that was cut off.
 */
function judgeClaim(
  held: FoundRecord,
  request: Request,
  { containerID, ifname }: Attachment,
  now: AttachmentRecord,
): void {
  const { releaser } = held.record ?? {};
  if (isOfEarlierBoot(held, now) || (releaser && hasEnded(releaser))) return;
  const folder = leaseFolder(request, held.record?.ipam);
  const leases = readLeases(folder).filter((lease) => isLeaseOf(lease, containerID, ifname));
  const who = `container ${containerID} on interface ${ifname} of network ${request.network.name}`;
  if (leases.length > 0 && !releaser) {
    const addresses = leases.map(({ ip }) => formatIp(ip)).join(" and ");
    throw new CniError(
      code.alreadyAttached,
      `${who} already has ${addresses}`,
      "a second ADD needs a DEL before it",
    );
  }
  if (ageOf(held, now) > longestCall) return;
  const hint = "or was killed: DEL lets go of what it held";
  if (releaser)
    throw new BeingReleasedError(code.tryAgainLater, `another call frees what was held for ${who}`, hint);
  throw new CniError(code.tryAgainLater, `another ADD is at work for ${who}`, hint);
}

function isOfEarlierBoot({ record, mtimeMs }: FoundRecord, now: AttachmentRecord): boolean {
  if (record?.bootID) return record.bootID !== now.bootID;
  return mtimeMs < Date.now() - now.uptime * 1000;
}

/** Seconds. */
function ageOf({ record, mtimeMs }: FoundRecord, now: AttachmentRecord): number {
  return record?.bootID ? now.uptime - record.uptime : (Date.now() - mtimeMs) / 1000;
}
