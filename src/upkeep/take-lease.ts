import { setTimeout as pause } from "node:timers/promises";
import { formatIp } from "../address/ip.ts";
import type { Environment } from "../cni/environment.ts";
import { CniError, code } from "../cni/error.ts";
import { bootID, uptime } from "../host/machine.ts";
import { viewpoint } from "../host/network-namespace.ts";
import { hasEnded, isRunningWith, thisProcess } from "../host/process.ts";
import { isNotedEnded } from "../lease/move-in-notes.ts";
import {
  type AttachmentRecord,
  claim,
  type FoundRecord,
  findRecord,
  noteDelegate,
  removeRecord,
} from "../lease/record.ts";
import { adoptStore, isAdopted, type State } from "../lease/state.ts";
import { isLeaseOf, type Lease, readLeases, storeFolder } from "../lease/store.ts";
import { longestCall } from "../request/budget.ts";
import type { JsonObject } from "../text/json.ts";
import type { Taking } from "./move-in-plan.ts";
import { callPlugin } from "./plugin-call.ts";

/** A network's store, and host-local; `deadline` in milliseconds of the machine's clock. */
export type TakePlace = {
  network: string;
  dataDir: string | undefined;
  state: State;
  hostLocal: string;
  folders: string[];
  env: Environment;
  deadline: number;
};

/** What became of it: `there` where it was taken over before. */
export type Taken = { outcome: "taken" | "there" | "ended" } | { outcome: "doubt"; reason: string };

/**
 * Takes over what another plugin leased to an attachment: our record first, then the real host-local's ADD for these very addresses, as
 * in any ADD. Of several that do it at once one does it, the others wait for that; who was killed before there was a lease is followed by
 * the next one.
 */
export async function takeLease(taking: Taking, place: TakePlace): Promise<Taken> {
  const { state } = place;
  if (!isAdopted(state)) adoptStore(state, storeFolder(place.dataDir, place.network));
  for (;;) {
    const before = standing(taking, place);
    if (before?.outcome === "doubt") return before;
    const record = makeRecord(taking, place);
    try {
      const held = claim(state.attachments, record, (found) => judge(found, taking, place));
      if (before) return before;
      return await lease(held, taking, place);
    } catch (error) {
      if (error instanceof Settled) return error.taken;
      if (!(error instanceof Busy)) throw error;
      if (Date.now() >= place.deadline) throw error.give();
      await pause(10);
    }
  }
}

class Settled extends Error {
  readonly taken: Taken;

  constructor(taken: Taken) {
    super();
    this.taken = taken;
  }
}

/** Somebody else is at work on it. */
class Busy extends Error {
  give(): CniError {
    return new CniError(code.tryAgainLater, this.message, "soon that is done");
  }
}

/** What the store says already: the same addresses, or others. Undefined where the attachment has none, and nobody else has them. */
function standing({ containerID, ifname, addresses }: Taking, place: TakePlace): Taken | undefined {
  const leases = readLeases(storeFolder(place.dataDir, place.network));
  const own = leases.filter((one) => isLeaseOf(one, containerID, ifname));
  const wanted = new Set(addresses.map(({ lease }) => formatIp(lease.ip)));
  const foreign = leases.find((one) => wanted.has(formatIp(one.ip)) && !own.includes(one));
  if (foreign) return { outcome: "doubt", reason: `it is leased to ${holderOf(foreign)} by now` };
  if (own.length === 0) return undefined;
  const has = own.map(({ ip }) => formatIp(ip));
  if ([...wanted].every((address) => has.includes(address))) return { outcome: "there" };
  return { outcome: "doubt", reason: `the container has ${has.join(" and ")} there by now` };
}

function holderOf({ containerID }: Lease): string {
  return containerID === "" ? "nobody (its file is empty)" : `container ${containerID}`;
}

/** Returns where a claim is dead: without a lease, and of a process that has ended. */
function judge(held: FoundRecord, taking: Taking, place: TakePlace): void {
  const now = standing(taking, place);
  if (now) throw new Settled(now);
  const { record } = held;
  const who = `container ${taking.containerID} on interface ${taking.ifname} of network ${place.network}`;
  const busy = new Busy(`another call is at work for ${who}`);
  const isOfThisBoot = record?.bootID === bootID();
  if (record?.delegatePid !== undefined && isOfThisBoot) {
    const variables = [`CNI_CONTAINERID=${taking.containerID}`, `CNI_IFNAME=${taking.ifname}`];
    if (isRunningWith(record.delegatePid, variables)) throw busy;
  }
  const worker = record?.adopter ?? record?.releaser;
  if (!isOfThisBoot || (worker && hasEnded(worker))) return;
  if (record && uptime() - record.uptime <= longestCall) throw busy;
}

function makeRecord(
  { containerID, ifname, pod, life, addresses }: Taking,
  place: TakePlace,
): AttachmentRecord {
  const { netns, netnsID } = life;
  const whose = { ...life.pod, ...pod };
  return {
    version: 1,
    containerID,
    ifname,
    ...(netns !== undefined && netnsID !== undefined && { netns, netnsID, viewpoint: viewpoint() }),
    ...(Object.keys(whose).length > 0 && { pod: whose }),
    delegate: "host-local",
    ipam: ipamOf(
      place,
      addresses.map(({ ranges }) => ranges),
    ),
    time: new Date().toISOString(),
    bootID: bootID(),
    uptime: uptime(),
    adopter: thisProcess(),
    nonce: `${process.pid}-${Math.floor(Math.random() * 1e9).toString(36)}`,
  };
}

function ipamOf({ dataDir }: TakePlace, ranges: object[]): JsonObject {
  return { ...(dataDir !== undefined && { dataDir }), type: "host-local", ranges };
}

/** host-local's ADD. Where the attachment was ended meanwhile, what it was given is freed again. */
async function lease(held: ReturnType<typeof claim>, taking: Taking, place: TakePlace): Promise<Taken> {
  const { state } = place;
  const { containerID, ifname, addresses } = taking;
  const failure = await call("ADD", taking, place, (pid) => noteDelegate(held, pid));
  const isHeld = findRecord(state.attachments, containerID, ifname)?.nonce === held.record.nonce;
  if (failure === undefined && isHeld && !isNotedEnded(state.folder, taking)) return { outcome: "taken" };
  const others = failure === undefined ? undefined : standing(taking, place);
  if (others?.outcome === "there" && isHeld) return others;
  const undone = failure === undefined ? await call("DEL", taking, place) : undefined;
  removeRecord(state.attachments, containerID, ifname, held.record.nonce);
  if (failure === undefined && undone === undefined) return { outcome: "ended" };
  if (others) return others;
  const what = addresses.map((one) => formatIp(one.lease.ip)).join(" and ");
  throw new CniError(
    code.tryAgainLater,
    `${what} of container ${containerID} can't be taken over from nv-ipam`,
    failure ?? undone ?? "",
  );
}

/** Every release of host-local speaks this version, and knows addresses that are asked for so. */
const cniVersion = "0.4.0";

/** host-local wants a namespace's name, and doesn't look at it. */
const unknownNamespace = "/var/run/netns/not-known";

async function call(
  verb: "ADD" | "DEL",
  { containerID, ifname, life, addresses }: Taking,
  place: TakePlace,
  started?: (pid: number) => void,
): Promise<string | undefined> {
  const ips = addresses.map(({ lease: { ip } }) => formatIp(ip));
  const ranges = addresses.map(({ alone }) => [alone]);
  const { error } = await callPlugin({
    program: { path: place.hostLocal },
    env: {
      ...place.env,
      CNI_COMMAND: verb,
      CNI_CONTAINERID: containerID,
      CNI_IFNAME: ifname,
      CNI_NETNS: life.netns ?? unknownNamespace,
      CNI_ARGS: "IgnoreUnknown=1",
      CNI_PATH: place.folders.join(":"),
    },
    config: { cniVersion, name: place.network, ipam: ipamOf(place, ranges), args: { cni: { ips } } },
    seconds: Math.max(2, (place.deadline - Date.now()) / 1000),
    ...(started && { started }),
  });
  return error;
}
