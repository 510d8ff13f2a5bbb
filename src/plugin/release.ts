import type { Environment } from "../cni/environment.ts";
import { removeRecord } from "../lease/record.ts";
import { withIpam } from "../request/delegate-config.ts";
import { recordedDelegate, recordedIpam } from "./del.ts";
import { callDelegate } from "./delegate.ts";
import { forgetRecord, noteWorker, settledRecord } from "./earlier-call.ts";
import type { Request } from "./request.ts";

/** An attachment that holds something in a network. A lease of an old release names no interface. */
export type Held = { containerID: string; ifname?: string };

/** Frees what an attachment holds by the delegate's own DEL, as its runtime would have. */
export async function release(request: Request, held: Held): Promise<void> {
  const { containerID, ifname } = held;
  const found = await settledRecord(request, containerID, ifname ?? "");
  const config = withIpam(request, recordedIpam(request, found?.record));
  const path = recordedDelegate(request, found?.record);
  const env: Environment = {
    ...request.env,
    CNI_COMMAND: "DEL",
    CNI_CONTAINERID: containerID,
    // One must be given, though leases of old releases have none.
    CNI_IFNAME: ifname ?? "eth0",
    CNI_NETNS: "",
    CNI_ARGS: "IgnoreUnknown=1",
  };
  await callDelegate(request, path, config, env, noteWorker(request, found));
  forgetRecord(request, containerID, ifname ?? "", found);
}

/** Drops the record of an attachment whose leases are gone. */
export function forget({ state }: Request, { containerID, ifname = "" }: Held): void {
  removeRecord(state.attachments, containerID, ifname);
}
