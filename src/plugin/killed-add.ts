import { setTimeout as pause } from "node:timers/promises";
import { isRunningWith } from "../host/process.ts";
import type { AttachmentRecord } from "../lease/record.ts";
import type { Request } from "./request.ts";

/**
 * The delegate of an ADD that was killed may still be at work: host-local would give the next ADD a second address, or free
 * all that it has. Waits for its end, for half of the call's time, and ends it then.
 */
export async function outlastDelegate(request: Request, record: AttachmentRecord | undefined): Promise<void> {
  if (record?.delegatePid === undefined) return;
  const { delegatePid, containerID, ifname } = record;
  const variables = ["CNI_COMMAND=ADD", `CNI_CONTAINERID=${containerID}`, `CNI_IFNAME=${ifname}`];
  const patience = (request.budget.time.deadline - Date.now()) / 2;
  for (const end = Date.now() + patience; isRunningWith(delegatePid, variables); await pause(10)) {
    if (Date.now() < end) continue;
    request.log.warn("the delegate of an ADD that was killed doesn't end, and is ended", {
      pid: delegatePid,
    });
    process.kill(delegatePid, "SIGKILL");
    return;
  }
}
