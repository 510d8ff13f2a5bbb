import { formatIp } from "../address/ip.ts";
import type { Holding, Inventory } from "./inventory.ts";
import type { AttachmentRecord } from "./record.ts";
import { isOlder, reclaimedContainer } from "./store.ts";
import { findStrangers } from "./strangers.ts";

/**
 * What is held by nobody, or by somebody of whom nothing is known: kinds, as they are shown to people and scripts.
 * - `dead`: its pod ended for certain
 * - `no-namespace`: its network namespace isn't to be seen; that proves nothing
 * - `lease-without-record`, `record-without-lease`: one of the two is missing, and no call is at work on it
 * - `damaged-record`, `empty-lease`: half-written, by a power cut or a kill
 * - `said-gone`: nothing is known against it, but somebody says that its container is gone
 * - `leftover`: a temporary file of ours, of a call that was killed
 * - `foreign-file`: neither host-local nor we make such a file
 */
export type LeakKind =
  | "dead"
  | "no-namespace"
  | "lease-without-record"
  | "record-without-lease"
  | "damaged-record"
  | "empty-lease"
  | "said-gone"
  | "leftover"
  | "foreign-file";

export type Leak = {
  kind: LeakKind;
  /** What it is about: addresses, a record, a file. */
  subject: string;
  reason: string;
  /** Whose it is, where it can be freed by a DEL for it. */
  holding?: Holding;
  /** Whether it may be freed unasked: only what is proven dead, or holds nothing. */
  freeable: boolean;
};

/** Now, and the seconds after which a call is surely over. */
export type Moment = { bootID: string; uptime: number; longestCall: number };

/**
 * What has leaked in a network. What a call is at work on may be among it for a moment: look twice. Of the containers in
 * `gone` somebody says that they are gone; where one is seen to live, that isn't believed.
 */
export function findLeaks(inventory: Inventory, moment: Moment, gone = new Set<string>()): Leak[] {
  return [
    ...inventory.holdings.flatMap((holding) => {
      const leak = leakOf(holding, inventory, moment);
      const isGone = gone.has(holding.containerID) && holding.verdict.state !== "live";
      return isGone ? saidGone(holding, leak) : (leak ?? []);
    }),
    ...emptyLeaks(inventory, moment),
    ...findStrangers(inventory).map(({ path, reason, isOurs }): Leak => {
      return { kind: isOurs ? "leftover" : "foreign-file", subject: path, reason, freeable: isOurs };
    }),
  ];
}

function leakOf(holding: Holding, { adopted }: Inventory, moment: Moment): Leak | undefined {
  const { record, verdict, leases } = holding;
  const leak = (kind: LeakKind, reason: string, freeable: boolean): Leak => {
    return { kind, subject: subjectOf(holding), reason, holding, freeable };
  };
  if (!record && !/^\w[\w.-]*$/.test(holding.containerID)) return strangeLease(holding);
  if (!record) {
    if (!adopted && !isReclaimed(holding)) return undefined;
    const reason = isReclaimed(holding)
      ? "it was given to nobody and not freed yet"
      : "nothing says whose it is: its record is lost, or another plugin leased it";
    return leak("lease-without-record", reason, isReclaimed(holding));
  }
  // Where a dataDir lies that isn't absolute, only its runtime knows.
  const isPlaced = String(record.record?.ipam?.["dataDir"] || "/").startsWith("/");
  const unplaced = `${verdict.reason}; only its runtime can free it, since its dataDir isn't absolute`;
  if (verdict.state === "dead") return leak("dead", isPlaced ? verdict.reason : unplaced, isPlaced);
  if (leases.length === 0 && !isPlaced) return undefined;
  if (leases.length === 0) return withoutLease(holding, moment, leak);
  if (!record.record)
    return leak("damaged-record", "it can't be read; only its DEL says when it may go", false);
  if (verdict.state === "unknown" && record.record.netnsID !== undefined)
    return leak("no-namespace", verdict.reason, false);
  return undefined;
}

/** A strange lease can't be freed whatever is said: it has no holding. */
function saidGone(holding: Holding, leak: Leak | undefined): Leak {
  if (leak) return { ...leak, freeable: leak.holding !== undefined };
  const reason = "you say that its container is gone";
  return { kind: "said-gone", subject: subjectOf(holding), reason, holding, freeable: true };
}

/** No DEL can name it: host-local's own tools didn't write it. */
function strangeLease({ leases }: Holding): Leak {
  const reason = "it is called like a lease, and what it holds is no container's id";
  return { kind: "foreign-file", subject: leases[0]?.path ?? "", reason, freeable: false };
}

/** Another delegate keeps its leases elsewhere; a lease is missing only where host-local should have made one. */
function withoutLease(
  { record: found, verdict }: Holding,
  moment: Moment,
  leak: (kind: LeakKind, reason: string, freeable: boolean) => Leak,
): Leak | undefined {
  const record = found?.record;
  const delegate = record?.delegate?.split("/").at(-1) ?? "host-local";
  if (!found || delegate !== "host-local" || ageOf(record, found.mtimeMs, moment) <= moment.longestCall)
    return undefined;
  if (verdict.state !== "live")
    return leak("record-without-lease", "it holds no address, and no call is at work on it", true);
  const reason = "its pod lives without a lease: its address may be given to another; make the pod anew";
  return leak("record-without-lease", reason, false);
}

function emptyLeaks({ emptyLeases }: Inventory, { longestCall }: Moment): Leak[] {
  const newest = Date.now() - longestCall * 1000;
  const old = emptyLeases.filter(({ path }) => isOlder(path, newest));
  return old.map(({ ip }) => {
    const reason = "its file is empty: host-local was killed before it wrote whose it is";
    return { kind: "empty-lease", subject: formatIp(ip), reason, freeable: true };
  });
}

function subjectOf({ leases, record }: Holding): string {
  return leases.length > 0 ? leases.map(({ ip }) => formatIp(ip)).join(" ") : (record?.path ?? "");
}

function isReclaimed({ containerID, ifname }: Holding): boolean {
  return containerID === reclaimedContainer.containerID && ifname === reclaimedContainer.ifname;
}

/** Seconds; within a boot by its own clock, which nobody can set. */
function ageOf(record: AttachmentRecord | undefined, mtimeMs: number, { bootID, uptime }: Moment): number {
  return record?.bootID === bootID ? uptime - record.uptime : (Date.now() - mtimeMs) / 1000;
}
