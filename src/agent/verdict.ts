import { withoutLink } from "../host/network-namespace.ts";
import { describeUnidentified, type Verdict } from "../lease/liveness.ts";
import type { AttachmentRecord, ListedRecord } from "../lease/record.ts";
import type { Evidence } from "./evidence.ts";
import { findPod } from "./known-pods.ts";

type Judged = Pick<ListedRecord, "containerID" | "record">;

/**
 * Whether an attachment lives, seen from the agent, which stands elsewhere than the runtime that made the record: it needs proof
 * of its own that it would see the attachment's namespace if that were there. Whatever speaks for life wins.
 */
export function judgeFromAgent(held: Judged, evidence: Evidence): Verdict {
  const { record, containerID } = held;
  if (!record) return unknown("its record is damaged");
  const isAdopted = record.bootID === "";
  if (!isAdopted && record.bootID !== evidence.bootID) return dead("it is of an earlier boot");
  const life = signOfLife(record, containerID, evidence);
  if (life !== undefined) return { state: "live", reason: life };
  if (record.releaser)
    return evidence.hasEnded(record.releaser)
      ? dead("its release was cut off")
      : unknown("it is being released");
  if (isAdopted) return unknown("its lease is from before us, without a record");
  return judgeUnseen(record, containerID, evidence);
}

function signOfLife(record: AttachmentRecord, containerID: string, evidence: Evidence): string | undefined {
  const { netns, netnsID } = record;
  if (evidence.sandboxes?.get(containerID)?.state === "ready") return "its sandbox is ready";
  if (netns === undefined || netnsID === undefined) return undefined;
  if (evidence.namespaceAt(netns) === netnsID) return `its network namespace ${netns} is there`;
  if (isReassigned(record, netnsID, containerID, evidence)) return undefined;
  const sight = evidence.sight();
  const isMounted = sight?.near.some((id) => sight.place(id)?.namespaces.has(netnsID));
  if (isMounted || sight?.inUse.has(netnsID))
    return `its network namespace ${netns} has lost its name, but is in use`;
  return undefined;
}

/** The namespace of that number is a later container's, whose own path leads to it. */
function isReassigned(
  { uptime }: AttachmentRecord,
  netnsID: string,
  containerID: string,
  evidence: Evidence,
): boolean {
  const newest = evidence.newestHolder(netnsID);
  if (!newest || newest.bootID !== evidence.bootID) return false;
  if (newest.containerID === containerID || newest.uptime <= uptime) return false;
  return newest.netns !== undefined && evidence.namespaceAt(newest.netns) === netnsID;
}

/** It isn't seen to live. That is proof where it would be seen; where that isn't sure, its pod or its sandbox must be gone, too. */
function judgeUnseen(record: AttachmentRecord, containerID: string, evidence: Evidence): Verdict {
  const { netns, netnsID } = record;
  if (netns === undefined || netnsID === undefined) return unknown(describeUnidentified(netns));
  const isOthers = isReassigned(record, netnsID, containerID, evidence);
  const seen = isOthers ? "unseen" : lookFor(record, netns, netnsID, evidence);
  if (seen === "in use") return { state: "live", reason: `its network namespace ${netns} is in use` };
  if (seen === "gone") return dead(`its network namespace ${netns} is gone`);
  const unseen = isOthers
    ? `the number of its network namespace ${netns} is another container's now`
    : `its network namespace ${netns} isn't seen from here`;
  if (seen === "hidden") return unknown(unseen);
  const pod = findPod(evidence.pods, record);
  if (pod === "absent") return dead(`its pod is gone, and ${unseen}`);
  if (pod === "present") return unknown(`${unseen}, but its pod is there`);
  if (evidence.sandboxes?.has(containerID) === false)
    return dead(`its runtime has no such sandbox, and ${unseen}`);
  return unknown(unseen);
}

/** Whether an attachment's namespace would be out of sight, were it there: not to see it says nothing then. */
export function isHidden(record: AttachmentRecord, evidence: Evidence): boolean {
  const { netns, netnsID } = record;
  return (
    netns !== undefined && netnsID !== undefined && lookFor(record, netns, netnsID, evidence) === "hidden"
  );
}

/**
 * `gone`: looked at from the very place where it was made. `unseen`: looked at from another place that has namespaces in
 * the same folder. `hidden`: nothing proves that it would be seen.
 */
function lookFor(
  { viewpoint = "" }: AttachmentRecord,
  netns: string,
  netnsID: string,
  { sight: look }: Evidence,
): "in use" | "gone" | "unseen" | "hidden" {
  const sight = look();
  const [mounts = "", processes] = viewpoint.split(" ");
  // The pod's processes are its runtime's children: they are in its process namespace or in one inside it.
  if (!sight || processes !== sight.processNamespace) return "hidden";
  const folder = folderOf(netns);
  const place = sight.place(mounts);
  if (place?.namespaces.has(netnsID)) return "in use";
  // Numbers are used again: a mount namespace that isn't near must show that such namespaces lie in it.
  if (place && (sight.near.includes(mounts) || place.folders.has(folder))) return "gone";
  return sight.near.some((id) => sight.place(id)?.folders.has(folder)) ? "unseen" : "hidden";
}

function folderOf(path: string): string {
  return withoutLink(path.slice(0, path.lastIndexOf("/")));
}

function dead(reason: string): Verdict {
  return { state: "dead", reason };
}

function unknown(reason: string): Verdict {
  return { state: "unknown", reason };
}
