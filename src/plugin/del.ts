import { isProgramName } from "../api/plugin-config.ts";
import type { Attachment } from "../cni/environment.ts";
import { CniError } from "../cni/error.ts";
import { type AttachmentRecord, findRecord, removeRecord } from "../lease/record.ts";
import { isLeaseOf, readLeases } from "../lease/store.ts";
import { lastKnownRanges } from "../ranges/node-ranges.ts";
import { anyRanges, delegateIpam, withIpam } from "../request/delegate-config.ts";
import { findDelegate } from "../request/find-delegate.ts";
import { leaseFolder } from "../request/lease-folder.ts";
import { toWanted } from "../request/wanted-ranges.ts";
import type { JsonObject } from "../text/json.ts";
import { callDelegate } from "./delegate.ts";
import { forgetRecord, noteWorker, settledRecord } from "./earlier-call.ts";
import type { Request } from "./request.ts";

/**
 * Lets the delegate free what the attachment holds; asks the API server for nothing (but see request/leased-before.ts). Success where
 * nothing is left to free.
 */
export async function del(request: Request, attachment: Attachment): Promise<string> {
  const { containerID, ifname } = attachment;
  request.pooled?.ended(request.state.folder, attachment);
  const found = await settledRecord(request, containerID, ifname);
  const before = found?.record ? undefined : await request.leasedBefore?.(attachment);
  const ipam = before ?? recordedIpam(request, found?.record);
  try {
    const path = recordedDelegate(request, found?.record);
    await callDelegate(request, path, withIpam(request, ipam), request.env, noteWorker(request, found));
  } catch (error) {
    if (!(error instanceof CniError) || holdsLeases(request, ipam, attachment)) throw error;
    request.log.warn("the delegate's DEL failed, but there is nothing left to free", {
      error: error.message,
    });
  }
  forgetRecord(request, containerID, ifname, found);
  removeRecord(request.state.attachments, containerID, ""); // Adopted from a lease that named no interface.
  return "";
}

/** Asks the delegate about the attachment with the configuration that its ADD got. */
export async function check(request: Request, { containerID, ifname }: Attachment): Promise<string> {
  const record = findRecord(request.state.attachments, containerID, ifname)?.record;
  const config = withIpam(request, recordedIpam(request, record));
  return await callDelegate(request, recordedDelegate(request, record), config, request.env);
}

/** What the record of the ADD says, else last-known ranges, else any: to free and to check, a range need not match. */
export function recordedIpam(request: Request, record: AttachmentRecord | undefined): JsonObject {
  if (record?.ipam) return record.ipam;
  const known = lastKnownRanges(toWanted(request));
  return delegateIpam(request, known ? request.prepare(known) : anyRanges);
}

/**
 * The delegate that the ADD was given to, while it is there. A path counts only where the node's own file names it now:
 * a record lies in a dataDir that a tenant may have chosen, and must not say what root runs.
 */
export function recordedDelegate({ delegate }: Request, record: AttachmentRecord | undefined): string {
  const name = record?.delegate;
  if (!isProgramName(name) || name === delegate.name) return findDelegate(delegate);
  try {
    return findDelegate({ name, folders: delegate.folders });
  } catch {
    return findDelegate(delegate);
  }
}

function holdsLeases(request: Request, ipam: JsonObject, { containerID, ifname }: Attachment): boolean {
  if (request.delegate.name !== "host-local") return true;
  return readLeases(leaseFolder(request, ipam)).some((lease) => isLeaseOf(lease, containerID, ifname));
}
