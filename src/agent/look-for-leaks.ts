import { CniError } from "../cni/error.ts";
import { isErrno } from "../host/files.ts";
import { bootID, uptime } from "../host/machine.ts";
import { lookAtNamespaces } from "../host/namespace-sight.ts";
import { namespaceID, withoutLink } from "../host/network-namespace.ts";
import { hasEnded } from "../host/process.ts";
import { type Inventory, readInventory } from "../lease/inventory.ts";
import { findLeaks, type Leak } from "../lease/leaks.ts";
import type { AttachmentRecord } from "../lease/record.ts";
import { longestCall } from "../request/budget.ts";
import type { Place } from "../upkeep/networks.ts";
import type { Sandboxes } from "../upkeep/sandboxes.ts";
import type { Evidence } from "./evidence.ts";
import { findPod, type KnownPods } from "./known-pods.ts";
import type { PlacedLeak } from "./suspects.ts";
import { isHidden, judgeFromAgent } from "./verdict.ts";

/** What a look found. `unread` has the networks that can't be read, with the reason. */
export type Look = {
  inventories: Inventory[];
  leaks: (PlacedLeak & { inventory: Inventory })[];
  unread: { network: string; reason: string }[];
  /** Which kinds of evidence there were. */
  evidence: { namespaces: boolean; pods: boolean; sandboxes: boolean };
  /** The newest record of each network namespace. */
  holders: ReadonlyMap<string, AttachmentRecord>;
};

/** What a look goes by; `holders` are the last look's. */
export type Known = Pick<Look, "holders"> & {
  pods: KnownPods | undefined;
  sandboxes: Sandboxes | undefined;
};

/** Reads all networks, and judges who lives. Changes nothing. */
export function lookForLeaks(places: readonly Place[], known: Known): Look {
  const evidence: Evidence = {
    bootID: bootID(),
    namespaceAt: (path) => namespaceID(withoutLink(path)),
    sight: lazily(lookAtNamespaces),
    newestHolder: (netnsID) => known.holders.get(netnsID),
    hasEnded,
    pods: known.pods,
    sandboxes: known.sandboxes,
  };
  let isBlind = false;
  /** Not to see a namespace is no leak where it would be hidden, or where its pod is there. */
  function isSuspicious({ kind, holding }: Leak): boolean {
    const record = holding?.record?.record;
    if (kind !== "no-namespace" || !record) return true;
    if (!isHidden(record, evidence)) return findPod(known.pods, record) !== "present";
    isBlind = true;
    return false;
  }
  const unread: Look["unread"] = [];
  const inventories = places.flatMap(({ network, dataDir }) => {
    try {
      return [readInventory(network, { dataDir, judge: (held) => judgeFromAgent(held, evidence) })];
    } catch (error) {
      if (!(error instanceof CniError) && !isErrno(error, "EACCES", "EPERM", "EIO")) throw error;
      unread.push({ network, reason: (error as Error).message });
      return [];
    }
  });
  const moment = { bootID: evidence.bootID, uptime: uptime(), longestCall };
  const leaks = inventories.flatMap((inventory) =>
    findLeaks(inventory, moment)
      .filter(isSuspicious)
      .map((leak) => ({
        ...leak,
        network: inventory.network,
        dataDir: inventory.dataDir,
        inventory,
      })),
  );
  return {
    inventories,
    leaks,
    unread,
    evidence: {
      namespaces: !isBlind,
      pods: known.pods !== undefined,
      sandboxes: known.sandboxes !== undefined,
    },
    holders: newestHolders(inventories),
  };
}

/** Looks at most once. */
function lazily<T>(look: () => T): () => T {
  let looked: { value: T } | undefined;
  return () => {
    looked ??= { value: look() };
    return looked.value;
  };
}

function newestHolders(inventories: Inventory[]): Map<string, AttachmentRecord> {
  const newest = new Map<string, AttachmentRecord>();
  const here = bootID();
  for (const record of inventories.flatMap(({ holdings }) => holdings.map((one) => one.record?.record))) {
    if (record?.netnsID === undefined || record.bootID !== here || record.releaser) continue;
    if ((newest.get(record.netnsID)?.uptime ?? -1) < record.uptime) newest.set(record.netnsID, record);
  }
  return newest;
}

/** Another runtime's list says nothing of our containers: it counts where it has one that a record of this boot names. */
export function believable(
  sandboxes: Sandboxes | undefined,
  { holders }: Pick<Look, "holders">,
): Sandboxes | undefined {
  const isOurs = [...holders.values()].some(({ containerID }) => sandboxes?.has(containerID));
  return isOurs ? sandboxes : undefined;
}
