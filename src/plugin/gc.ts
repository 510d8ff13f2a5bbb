import { CniError, code } from "../cni/error.ts";
import { forgetMoveIn } from "../lease/move-in-notes.ts";
import { listRecords } from "../lease/record.ts";
import { removeLeftovers } from "../lease/state.ts";
import { readLeases, reclaimEmptyLeases } from "../lease/store.ts";
import { longestCall } from "../request/budget.ts";
import { withIpam } from "../request/delegate-config.ts";
import { findDelegate } from "../request/find-delegate.ts";
import { leaseFolder } from "../request/lease-folder.ts";
import { isObject, kindOf } from "../text/json.ts";
import { recordedIpam } from "./del.ts";
import { callDelegate } from "./delegate.ts";
import { toCniError } from "./fault.ts";
import { forget, type Held, release } from "./release.ts";
import type { Request } from "./request.ts";

/**
 * Releases what no valid attachment holds, by DELs of host-local: some releases' GC reports success and frees nothing, and
 * that of 1.10.0 frees everything where the runtime sends no list. Another delegate gets its GC as it is; where it knows none,
 * or leases are left in a store of host-local's form, GC is DELs too. Goes on past single failures.
 */
export async function collectGarbage(request: Request): Promise<string> {
  const valid = readValidAttachments(request);
  if (valid === undefined) return "";
  removeLeftovers(request.state);
  forgetMoveIn(request.state.folder);
  reclaimEmptyLeases(leaseFolder(request, recordedIpam(request, undefined)), longestCall);
  const isOwnWork = request.delegate.name === "host-local" || !(await passOnGC(request));
  const garbage = listHeld(request).filter((held) => !valid(held));
  const leased = new Set(listLeased(request).map(nameOf));
  await releaseAll(request, isOwnWork ? garbage : garbage.filter((held) => leased.has(nameOf(held))));
  if (!isOwnWork) for (const held of garbage) forget(request, held);
  return "";
}

/** Undefined where the runtime sends no list: then nothing is known to be garbage. */
function readValidAttachments({ network }: Request): ((held: Held) => boolean) | undefined {
  const key = "cni.dev/valid-attachments";
  const list = network.raw[key];
  if (list === undefined || list === null) return undefined;
  const isAttachment = (one: unknown) =>
    isObject(one) && [one["containerID"], one["ifname"]].every((t) => typeof t === "string");
  if (!Array.isArray(list) || !list.every(isAttachment)) {
    const found = Array.isArray(list) ? "something else among them" : kindOf(list);
    throw new CniError(
      code.invalidConfig,
      `${key} is malformed`,
      `expected objects of containerID and ifname, found ${found}; nothing was freed`,
    );
  }
  const pairs = new Set(list.map(({ containerID, ifname }) => `${containerID}:${ifname}`));
  const containers = new Set(list.map(({ containerID }) => containerID));
  return ({ containerID, ifname }) =>
    ifname === undefined ? containers.has(containerID) : pairs.has(`${containerID}:${ifname}`);
}

/** False where the delegate knows no GC. */
async function passOnGC(request: Request): Promise<boolean> {
  try {
    const path = findDelegate(request.delegate);
    await callDelegate(request, path, withIpam(request, recordedIpam(request, undefined)), request.env);
    return true;
  } catch (error) {
    const { code: why } = toCniError(error);
    // Old ones ask for a container before they say that they don't know the verb.
    if ([code.invalidEnvironment, code.incompatibleVersion, code.unknownContainer].some((one) => one === why))
      return false;
    throw error;
  }
}

async function releaseAll(request: Request, garbage: Held[]): Promise<void> {
  const failures: string[] = [];
  for (const held of garbage) {
    if (Date.now() >= request.budget.time.deadline) {
      failures.push("the call's time is over: what is left goes with the next GC");
      break;
    }
    await release(request, held).catch((error: unknown) => {
      const { message, details } = toCniError(error);
      failures.push(`${held.containerID} ${held.ifname ?? ""}: ${message}${details && `: ${details}`}`);
    });
  }
  const left = new Set(listHeld(request).map(nameOf));
  const stuck = garbage.map(nameOf).filter((name) => left.has(name));
  if (failures.length === 0 && stuck.length === 0) return;
  const message = `${stuck.length} of ${garbage.length} attachments could not be released`;
  throw new CniError(code.delegate, message, [...failures, ...stuck].slice(0, 20).join("; "));
}

/** Leases and records, each attachment once. */
function listHeld(request: Request): Held[] {
  const records = listRecords(request.state.attachments);
  const held = [
    ...listLeased(request),
    ...records.map(({ containerID, ifname }) => (ifname ? { containerID, ifname } : { containerID })),
  ];
  return [...new Map(held.map((one) => [nameOf(one), one])).values()];
}

/** A lease may lie in a dataDir that only its record knows. */
function listLeased(request: Request): Held[] {
  const ipams = listRecords(request.state.attachments).map(({ record }) => record?.ipam);
  const folders = new Set(
    [recordedIpam(request, undefined), ...ipams].map((ipam) => leaseFolder(request, ipam)),
  );
  return [...folders].flatMap(readLeases).filter(({ containerID }) => containerID !== "");
}

function nameOf({ containerID, ifname = "" }: Held): string {
  return `${containerID}:${ifname}`;
}
