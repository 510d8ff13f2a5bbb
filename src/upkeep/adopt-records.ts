import { bootID, uptime } from "../host/machine.ts";
import { viewpoint } from "../host/network-namespace.ts";
import type { Holding, Inventory } from "../lease/inventory.ts";
import { type AttachmentRecord, claim, findRecord, removeRecord } from "../lease/record.ts";
import { adoptStore, isAdopted } from "../lease/state.ts";
import { isLeaseOf, readLeases, storeFolder } from "../lease/store.ts";
import type { Life, Living } from "./life.ts";

/** What became of leases that had no record of ours: `would` where nothing was to be changed, `left` where they stay as they are. */
export type AdoptedHolding = {
  holding: Holding;
  life: Life;
  outcome: "adopted" | "would" | "left" | "doubt";
  reason: string;
};

/** Leases without a record, or whose record is no more than the lease itself. */
export function unrecorded({ holdings }: Inventory): Holding[] {
  return holdings.filter(
    ({ leases, record }) => leases.length > 0 && (!record || record.record?.bootID === ""),
  );
}

/** As evidence is asked for them. */
export function livingOf(holding: Holding): Living | undefined {
  const { containerID, ifname, leases } = holding;
  const ip = leases[0]?.ip;
  return ip && ifname !== "" ? { containerID, ifname, ip } : undefined;
}

/**
 * Gives records to leases of host-local's that were there before us, where what lives tells whose they are. What can't be told stays as
 * it is, and no lease is touched.
 */
export function adoptRecords(
  inventory: Inventory,
  lifeOf: (one: Living) => Life,
  dryRun: boolean,
): AdoptedHolding[] {
  const { state, dataDir, network } = inventory;
  const holdings = unrecorded(inventory);
  if (holdings.length > 0 && !dryRun && !isAdopted(state)) adoptStore(state, storeFolder(dataDir, network));
  return holdings.map((holding): AdoptedHolding => {
    const living = livingOf(holding);
    const life: Life = living ? lifeOf(living) : { state: "unknown", reason: "its lease names no interface" };
    const { reason } = life;
    if (life.network !== undefined && life.network !== network)
      return { holding, life, outcome: "doubt", reason: `libcni has it in network ${life.network}` };
    if (life.state !== "live") return { holding, life, outcome: "left", reason };
    if (dryRun) return { holding, life, outcome: "would", reason };
    const isDone = writeRecord(inventory, holding, life);
    const words = isDone ? reason : "it was ended, or attached anew, just now";
    return { holding, life, outcome: isDone ? "adopted" : "left", reason: words };
  });
}

class Superseded extends Error {}

/** A call may be at work on it right now: what stands there by then counts. */
function writeRecord({ state, stores }: Inventory, holding: Holding, life: Life): boolean {
  const { containerID, ifname } = holding;
  const before = findRecord(state.attachments, containerID, ifname);
  if (before?.record && before.record.bootID !== "") return false;
  const record = makeRecord(holding, life);
  try {
    claim(state.attachments, record, ({ nonce }) => {
      if (nonce !== before?.nonce) throw new Superseded();
    });
  } catch (error) {
    if (error instanceof Superseded) return false;
    throw error;
  }
  if (stores.flatMap(readLeases).some((lease) => isLeaseOf(lease, containerID, ifname))) return true;
  removeRecord(state.attachments, containerID, ifname, record.nonce);
  return false;
}

/** Without `ipam`: its DEL goes by what the configuration says, as that of any lease from before us. */
function makeRecord({ containerID, ifname }: Holding, life: Life): AttachmentRecord {
  const { netns, netnsID, pod } = life;
  return {
    version: 1,
    containerID,
    ifname,
    ...(netns !== undefined && netnsID !== undefined && { netns, netnsID, viewpoint: viewpoint() }),
    ...(pod && Object.keys(pod).length > 0 && { pod }),
    delegate: "host-local",
    time: new Date().toISOString(),
    bootID: bootID(),
    uptime: uptime(),
    nonce: `${process.pid}-${Math.floor(Math.random() * 1e9).toString(36)}`,
  };
}
