import { statSync } from "node:fs";
import { isObject, type JsonObject } from "../text/json.ts";
import type { Verdict } from "./liveness.ts";
import { type ListedRecord, listRecords } from "./record.ts";
import { isAdopted, openState, type State } from "./state.ts";
import { defaultDataDir, type Lease, readLeases, storeFolder } from "./store.ts";

/** What one (container, interface) holds in a network: its leases and its record, of which either may be missing. */
export type Holding = {
  containerID: string;
  /** Empty where the lease is in the form of old releases, which name none. */
  ifname: string;
  leases: Lease[];
  record?: ListedRecord;
  verdict: Verdict;
  /** When it was attached (ISO 8601): by its record, else by its lease's file. */
  since?: string;
};

/** A network's leases joined with our records of who holds them, as they were at one moment. */
export type Inventory = {
  network: string;
  dataDir: string;
  state: State;
  /** Whether our plugins have been at work here: before that no lease has a record. */
  adopted: boolean;
  /** Host-local's folders for this network: a Node's annotation may have put some leases elsewhere. */
  stores: string[];
  holdings: Holding[];
  /** Leases that name no container: host-local was killed between making and writing them. */
  emptyLeases: Lease[];
};

/** Whether a record's attachment lives, as seen by the one who asks. */
export type Judge = (record: ListedRecord) => Verdict;

/** Reads a network's store and state. Throws a CniError where something foreign stands in the place of our folders. */
export function readInventory(
  network: string,
  { dataDir = defaultDataDir, judge }: { dataDir?: string | undefined; judge: Judge },
): Inventory {
  const state = openState(dataDir, network);
  // Records are written before leases and go after them, so a lease that was seen first has its record still.
  const early = readLeases(storeFolder(dataDir, network));
  const records = listRecords(state.attachments);
  const elsewhere = records.flatMap(({ record }) => dataDirOf(record?.ipam) ?? []);
  const stores = [...new Set([dataDir, ...elsewhere].map((one) => storeFolder(one, network)))];
  const leases = [...early, ...stores.slice(1).flatMap(readLeases)];
  return {
    network,
    dataDir,
    state,
    adopted: isAdopted(state),
    stores,
    holdings: join(leases, records).map((joined) => assess(joined, judge)),
    emptyLeases: leases.filter(({ containerID }) => containerID === ""),
  };
}

function dataDirOf(ipam: JsonObject | undefined): string | undefined {
  const dataDir = isObject(ipam) ? ipam["dataDir"] : undefined;
  return typeof dataDir === "string" && dataDir.startsWith("/") ? dataDir : undefined;
}

type Joined = Pick<Holding, "containerID" | "ifname" | "leases" | "record">;

/** Who holds what: each lease with the record of its container and interface. In the order of addresses; what has none last. */
export function join(leases: Lease[], records: ListedRecord[]): Joined[] {
  const joined = new Map<string, Joined>(
    records.map((record) => [nameOf(record), { ...pick(record), leases: [], record }]),
  );
  for (const lease of leases) {
    if (lease.containerID === "") continue;
    const name = nameOf(lease);
    const holder = joined.get(name) ?? soleRecordOf(lease, records, joined) ?? { ...pick(lease), leases: [] };
    holder.leases.push(lease);
    joined.set(nameOf(holder), holder);
  }
  const all = [...joined.values()];
  for (const { leases: own } of all) own.sort(byAddress);
  return all.sort((a, b) => byAddress(a.leases[0], b.leases[0]) || (nameOf(a) < nameOf(b) ? -1 : 1));
}

/** A lease that names no interface belongs to whichever its container has, where that is one. */
function soleRecordOf(
  { containerID, ifname }: Lease,
  records: ListedRecord[],
  joined: Map<string, Joined>,
): Joined | undefined {
  const [one, ...more] = records.filter((record) => record.containerID === containerID);
  return ifname === undefined && one && more.length === 0 ? joined.get(nameOf(one)) : undefined;
}

function pick({ containerID, ifname = "" }: { containerID: string; ifname?: string }) {
  return { containerID, ifname };
}

function nameOf({ containerID, ifname = "" }: { containerID: string; ifname?: string }): string {
  return `${containerID}:${ifname}`;
}

function byAddress(a: Lease | undefined, b: Lease | undefined): number {
  if (!a || !b) return (a ? 0 : 1) - (b ? 0 : 1);
  if (a.ip.family !== b.ip.family) return a.ip.family - b.ip.family;
  return a.ip.value < b.ip.value ? -1 : a.ip.value > b.ip.value ? 1 : 0;
}

function assess(joined: Joined, judge: Judge): Holding {
  const { record, leases } = joined;
  const verdict: Verdict = record ? judge(record) : { state: "unknown", reason: "there is no record of it" };
  const since = record?.record?.time ?? timeOf(record?.mtimeMs ?? (leases[0] && modified(leases[0].path)));
  return { ...joined, verdict, ...(since !== undefined && { since }) };
}

function modified(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}

function timeOf(milliseconds: number | undefined): string | undefined {
  return milliseconds === undefined ? undefined : new Date(milliseconds).toISOString();
}
