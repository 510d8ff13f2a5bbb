import type { Environment } from "../cni/environment.ts";
import { findRecord, removeRecord } from "../lease/record.ts";
import { withIpam } from "../request/delegate-config.ts";
import { recordedDelegate, recordedIpam } from "./del.ts";
import { callDelegate } from "./delegate.ts";
import { outlastDelegate } from "./killed-add.ts";
import type { Request } from "./request.ts";

/** An attachment that holds something in a network. A lease of an old release names no interface. */
export type Held = { containerID: string; ifname?: string };

/** Frees what an attachment holds by the delegate's own DEL, as its runtime would have. */
export async function release(request: Request, held: Held): Promise<void> {
  const { containerID, ifname } = held;
  const record = findRecord(request.state.attachments, containerID, ifname ?? "")?.record;
  const env: Environment = {
    ...request.env,
    CNI_COMMAND: "DEL",
    CNI_CONTAINERID: containerID,
    // One must be given, though leases of old releases have none.
    CNI_IFNAME: ifname ?? "eth0",
    CNI_NETNS: "",
    CNI_ARGS: "IgnoreUnknown=1",
  };
  await outlastDelegate(request, record);
  const config = withIpam(request, recordedIpam(request, record));
  await callDelegate(request, recordedDelegate(request, record), config, env);
  forget(request, held);
}

/** Drops the record of an attachment whose leases are gone. */
export function forget({ state }: Request, { containerID, ifname = "" }: Held): void {
  removeRecord(state.attachments, containerID, ifname);
}
