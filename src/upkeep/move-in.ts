import { formatIp, type Ip } from "../address/ip.ts";
import type { PoolAnnotation } from "../api/pool-annotation.ts";
import type { Environment } from "../cni/environment.ts";
import { CniError, code } from "../cni/error.ts";
import { isNotedEnded, type NotedDoubt, readMoveInNote, writeMoveInNote } from "../lease/move-in-notes.ts";
import { type OldLease, type OldStore, oldPoolKey, readOldStore } from "../lease/nv-ipam-store.ts";
import { findDelegate } from "../request/find-delegate.ts";
import type { ReadRequest } from "../request/request.ts";
import { judgeLives, type LifeEvidence } from "./life.ts";
import { type MoveInPlan, planMoveIn, type ShownPool } from "./move-in-plan.ts";
import { seeOldDaemon } from "./old-daemon.ts";
import { type Taken, takeLease } from "./take-lease.ts";

/** A lease of nv-ipam's, and what became of it; `would` where nothing was to be changed. */
export type MovedLease = {
  lease: OldLease;
  outcome: Taken["outcome"] | MoveInPlan["left"][number]["outcome"] | "would";
  reason: string;
};

export type MoveInOrder = {
  request: ReadRequest;
  /** What the Node says of each of the request's pools, in their order. */
  annotations: readonly (PoolAnnotation | undefined)[];
  evidence?: LifeEvidence;
  folders: string[];
  env: Environment;
  /** Milliseconds of the machine's clock. */
  deadline: number;
  dryRun?: boolean;
};

/** Throws code 11 where nv-ipam's daemon is at work, or its store can't be understood. Undefined where there is nothing of these pools. */
export async function readWhatIsOld({ pooled, network }: ReadRequest): Promise<OldStore | undefined> {
  const store = readOldStore();
  const keys = keysOf(pooled);
  const isOurs = pooled?.isNvIpams || keys.some((key) => store?.pools.includes(key));
  const seen = isOurs ? await seeOldDaemon() : undefined;
  if (seen !== undefined)
    throw new CniError(
      code.tryAgainLater,
      `nv-ipam's daemon still gives addresses of network ${network.name}'s pools`,
      `${seen}; delete its DaemonSet: kubectl -n kube-system delete daemonset nv-ipam-node`,
    );
  return store;
}

/**
 * Takes over what nv-ipam leased out of a network's pools. Can be done again at any time: what is there stays as it is. When all is
 * settled, that is noted for this state of the store; the store itself is never changed.
 */
export async function moveIn(order: MoveInOrder): Promise<MovedLease[]> {
  const { request, annotations, evidence, dryRun = false } = order;
  const { network, state, pooled } = request;
  const store = await readWhatIsOld(request);
  if (!store || !pooled) return [];
  refuseOtherDelegate(request);
  const pools = pooled.pools.map((pool, i): ShownPool => ({ ...pool, annotation: annotations[i] }));
  const open = stillOpen(store, state.folder);
  const judged = judgeLives(store.leases, evidence);
  const plan = planMoveIn(open, pools, network.name, (lease) =>
    isNotedEnded(state.folder, lease) ? { state: "dead", reason: "it was deleted since" } : judged(lease),
  );
  const moved = [...plan.left, ...(await takeAll(plan, order))];
  const settled = pools
    .filter(({ annotation }) => annotation)
    .map(({ kind, name }) => oldPoolKey(kind, name));
  if (!dryRun)
    writeMoveInNote(state.folder, { mark: store.mark, pools: settled, doubts: moved.flatMap(toNote) });
  return moved.sort((a, b) => byAddress(a.lease.ip, b.lease.ip));
}

function byAddress(a: Ip, b: Ip): number {
  return a.family - b.family || (a.value < b.value ? -1 : a.value > b.value ? 1 : 0);
}

/** What was settled of this very store may have ended since, and its address be another's: but for what is in doubt, it is left alone. */
function stillOpen({ mark, leases }: OldStore, folder: string): OldLease[] {
  const note = readMoveInNote(folder);
  if (note?.mark !== mark) return leases;
  const doubts = new Set(note.doubts.map(nameOfDoubt));
  return leases.filter(
    (lease) =>
      !note.pools.includes(lease.pool) || doubts.has(nameOfDoubt({ ...lease, address: formatIp(lease.ip) })),
  );
}

function nameOfDoubt({ pool, address, containerID, ifname }: Omit<NotedDoubt, "reason">): string {
  return [pool, address, containerID, ifname].join(" ");
}

async function takeAll({ take }: MoveInPlan, order: MoveInOrder): Promise<MovedLease[]> {
  const { request, folders, env, deadline, dryRun } = order;
  const { network, dataDir, state } = request;
  const place = { network: network.name, dataDir, state, folders, env, deadline };
  const moved: MovedLease[] = [];
  let hostLocal: string | undefined;
  for (const [index, taking] of take.entries()) {
    if (Date.now() >= deadline) throw outOfTime(index, take.length);
    hostLocal ??= dryRun ? "" : findDelegate({ name: "host-local", folders });
    const taken = dryRun ? undefined : await takeLease(taking, { ...place, hostLocal });
    const reason = taken?.outcome === "doubt" ? taken.reason : taking.life.reason;
    for (const { lease } of taking.addresses)
      moved.push({ lease, outcome: taken?.outcome ?? "would", reason });
  }
  return moved;
}

function outOfTime(done: number, all: number): CniError {
  const message = `${done} of ${all} attachments of nv-ipam's were taken over in this call's time`;
  return new CniError(code.tryAgainLater, message, "the next call goes on");
}

function refuseOtherDelegate({ delegate, network }: ReadRequest): void {
  if (delegate.name === "host-local") return;
  throw new CniError(
    code.invalidConfig,
    `network ${network.name} has the delegate ${delegate.name}, and nv-ipam's leases are to be taken over`,
    "only host-local can take them: leave nextipam out, or move nv-ipam's store away once its pods are gone",
  );
}

function keysOf(pooled: ReadRequest["pooled"]): string[] {
  return (pooled?.pools ?? []).map(({ kind, name }) => oldPoolKey(kind, name));
}

function toNote({ lease, outcome, reason }: MovedLease): NotedDoubt[] {
  if (outcome !== "doubt") return [];
  const { pool, ip, containerID, ifname } = lease;
  return [{ pool, address: formatIp(ip), containerID, ifname, reason }];
}
