import { namespaceID } from "../host/network-namespace.ts";
import type { FoundRecord } from "./record.ts";

/** Whether an attachment's pod lives. `unknown` is never freed: not to see a namespace is no proof of death. */
export type Verdict = { state: "live" | "dead" | "unknown"; reason: string };

/**
 * Only a boot that is over ends every pod for certain: a namespace whose path is gone may live on in the pod's other
 * processes, or be out of sight from where one stands.
 */
export function judge({ record }: FoundRecord, bootID: string): Verdict {
  if (!record) return { state: "unknown", reason: "its record is damaged" };
  if (record.bootID === "")
    return { state: "unknown", reason: "its lease is from before us, without a record" };
  if (record.bootID !== bootID) return { state: "dead", reason: "it is of an earlier boot" };
  const { netns, netnsID } = record;
  if (netns === undefined || netnsID === undefined)
    return { state: "unknown", reason: "no network namespace was recorded" };
  if (namespaceID(netns) === netnsID)
    return { state: "live", reason: `its network namespace ${netns} is there` };
  return { state: "unknown", reason: `its network namespace ${netns} isn't seen from here` };
}
