import { setTimeout as pause } from "node:timers/promises";
import { isErrno } from "../host/files.ts";
import { bootID, uptime } from "../host/machine.ts";
import { hasEnded, isRunningWith, isThisOrParent } from "../host/process.ts";
import { type FoundRecord, findRecord, removeRecord } from "../lease/record.ts";
import { noteIfPossible } from "../lease/take-over.ts";
import { longestCall } from "../request/budget.ts";
import type { Request } from "./request.ts";

/** The record of (container, interface), once nobody else is at work on it, or half of the call's time is over. */
export async function settledRecord(
  request: Request,
  containerID: string,
  ifname: string,
): Promise<FoundRecord | undefined> {
  const find = () => findRecord(request.state.attachments, containerID, ifname);
  let found = find();
  for (const end = halfTime(request); isBeingReleased(found) && Date.now() < end; found = find())
    await pause(10);
  await outlastDelegate(request, found);
  return found;
}

/**
 * The delegate of a call that was killed may still be at work: host-local would give the next ADD a second address, or free
 * all that it has. Waits for its end, for half of the call's time, and ends it then.
 */
export async function outlastDelegate(request: Request, found: FoundRecord | undefined): Promise<void> {
  const { delegatePid, containerID, ifname = "eth0" } = found?.record ?? {};
  if (delegatePid === undefined || delegatePid === process.pid) return;
  if (found?.record?.bootID !== bootID()) return; // Numbers are used again.
  const variables = [`CNI_CONTAINERID=${containerID}`, `CNI_IFNAME=${ifname}`];
  for (const end = halfTime(request); isRunningWith(delegatePid, variables); await pause(10)) {
    if (Date.now() < end) continue;
    request.log.warn("the delegate of a call that was killed doesn't end, and is ended", {
      pid: delegatePid,
    });
    endProcess(delegatePid);
    return;
  }
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (!isErrno(error, "ESRCH")) throw error;
  }
}

/**
 * Writes down which process works for a DEL, for the next call to wait for. A record of an earlier boot stays as it is, and so does
 * a lease of before us, whose boot the time of its file tells.
 */
export function noteWorker({ state }: Request, found: FoundRecord | undefined): (pid: number) => void {
  const record = found?.record;
  if (!found || record?.bootID !== bootID()) return () => {};
  return (pid) => noteIfPossible({ folder: state.attachments, path: found.path, record }, pid);
}

/** Lets go of what was found, its leases being gone. A release that is still at work does that itself. */
export function forgetRecord(
  { state }: Request,
  containerID: string,
  ifname: string,
  found: FoundRecord | undefined,
): void {
  if (found && !isBeingReleased(found)) removeRecord(state.attachments, containerID, ifname, found.nonce);
}

/** Somebody else frees it as dead (release-dead.ts, `kube-node audit --fix`): what is let go meanwhile that one would free again. */
function isBeingReleased(found: FoundRecord | undefined): boolean {
  const { releaser, uptime: since = 0 } = found?.record ?? {};
  if (!releaser || isThisOrParent(releaser) || uptime() - since > longestCall) return false;
  return !hasEnded(releaser);
}

/** Until when somebody else's work is waited for. */
export function halfTime({ budget }: Request): number {
  const now = Date.now();
  return now + (budget.time.deadline - now) / 2;
}
