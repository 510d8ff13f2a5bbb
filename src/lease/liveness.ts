import { bootID } from "../host/machine.ts";
import { namespaceID, namespacesInUse, viewpoint } from "../host/network-namespace.ts";
import { hasEnded } from "../host/process.ts";
import type { AttachmentRecord, FoundRecord } from "./record.ts";

/** Whether an attachment's pod lives. `unknown` is never freed: not to see a namespace is no proof of death. */
export type Verdict = { state: "live" | "dead" | "unknown"; reason: string };

/** What can be seen from here; the machine's namespaces are looked at once, and only where they matter. */
export type View = { bootID: string; viewpoint: string; namespacesInUse(): Set<string> | undefined };

/** `except` is the namespace's path of an ADD whose pod is only just made: nobody else lives under that name. */
export function lookAround(except?: string): View {
  let found: { inUse: Set<string> | undefined } | undefined;
  return {
    bootID: bootID(),
    viewpoint: viewpoint(),
    namespacesInUse() {
      found ??= { inUse: namespacesInUse(except) };
      return found.inUse;
    },
  };
}

/** Judges by what is seen from here, now. */
export function judgeFromHere(): (record: Pick<FoundRecord, "record">) => Verdict {
  const view = lookAround();
  return (record) => judge(record, view);
}

/** A boot that is over ends every pod; within one, it is dead whose network namespace has neither a name nor a process left. */
export function judge({ record }: Pick<FoundRecord, "record">, view: View): Verdict {
  if (!record) return { state: "unknown", reason: "its record is damaged" };
  if (record.bootID === "")
    return { state: "unknown", reason: "its lease is from before us, without a record" };
  if (record.bootID !== view.bootID) return { state: "dead", reason: "it is of an earlier boot" };
  if (record.releaser) {
    return hasEnded(record.releaser)
      ? { state: "dead", reason: "its release was cut off" }
      : { state: "unknown", reason: "it is being released" };
  }
  return judgeNamespace(record, view);
}

function judgeNamespace({ netns, netnsID, viewpoint }: AttachmentRecord, view: View): Verdict {
  if (netns === undefined || netnsID === undefined)
    return { state: "unknown", reason: describeUnidentified(netns) };
  if (namespaceID(netns) === netnsID)
    return { state: "live", reason: `its network namespace ${netns} is there` };
  const inUse = viewpoint === view.viewpoint ? view.namespacesInUse() : undefined;
  if (!inUse) return { state: "unknown", reason: `its network namespace ${netns} isn't seen from here` };
  if (inUse.has(netnsID))
    return { state: "live", reason: `its network namespace ${netns} has lost its name, but is in use` };
  return { state: "dead", reason: `its network namespace ${netns} is gone` };
}

/** Of a record without a namespace's identity: no path was given, or what it led to could not be told at its ADD. */
export function describeUnidentified(netns: string | undefined): string {
  if (netns === undefined) return "its ADD named no network namespace";
  return `its network namespace ${netns} wasn't seen at its ADD, so it can't be told from another`;
}
