import { setTimeout as sleep } from "node:timers/promises";
import type { OwnCluster } from "./own-cluster.ts";

type Shown = {
  metadata: { name: string; uid: string; deletionTimestamp?: string };
  spec: { nodeName?: string };
  status: { podIPs?: { ip: string }[] };
};

/** A pod as the API server shows it. One that is being deleted may have lost its addresses already. */
export type ListedPod = {
  name: string;
  uid: string;
  namespace: string;
  node: string;
  addresses: string[];
  isLeaving: boolean;
};

type Kubectl = (words: string[]) => Promise<string>;

export async function listPods(kubectl: Kubectl, namespace: string): Promise<ListedPod[]> {
  const { items } = JSON.parse(await kubectl(["get", "pods", "-n", namespace, "-o", "json"])) as {
    items: Shown[];
  };
  return items.map(({ metadata: { name, uid, deletionTimestamp }, spec, status }) => ({
    name,
    uid,
    namespace,
    node: spec.nodeName ?? "",
    addresses: status.podIPs?.map(({ ip }) => ip) ?? [],
    isLeaving: deletionTimestamp !== undefined,
  }));
}

/** Who has had which address, looked at about every second: `faults` are addresses of two pods at once, and pods whose addresses changed. */
export type Ledger = { faults: string[]; seen: ReadonlyMap<string, string[]>; stop(): Promise<void> };

export function keepLedger(kubectl: Kubectl, namespace: string): Ledger {
  const seen = new Map<string, string[]>();
  const faults = new Set<string>();
  let isOpen = true;

  async function look(): Promise<void> {
    const holders = new Map<string, string>();
    for (const { uid, name, addresses, isLeaving } of await listPods(kubectl, namespace)) {
      if (isLeaving || addresses.length === 0) continue;
      const before = seen.get(uid) ?? addresses;
      if (before.join() !== addresses.join())
        faults.add(`${name}: ${before.join()} became ${addresses.join()}`);
      seen.set(uid, addresses);
      for (const address of addresses) {
        const other = holders.get(address);
        if (other !== undefined) faults.add(`${address} is ${other}'s and ${name}'s`);
        holders.set(address, name);
      }
    }
  }

  const looking = (async () => {
    while (isOpen) {
      await look().catch((error: Error) => faults.add(`the pods weren't seen: ${error.message}`));
      await sleep(1000);
    }
  })();
  return {
    get faults() {
      return [...faults];
    },
    seen,
    stop: async () => {
      isOpen = false;
      await looking;
      await look();
    },
  };
}

/** Addresses on a node by those who hold them, sorted: leases of a network in host-local's store, and what interfaces of pods have. */
export async function addressesOnNode(
  cluster: OwnCluster,
  node: string,
  network: string,
  link: string,
): Promise<{ leased: string[]; used: string[] }> {
  const run = (script: string) => cluster.run(["exec", node, "--", "sh", "-c", script]);
  const leases = await run(`ls /var/lib/cni/networks/${network} 2>/dev/null || true`);
  const show = `ip -o -n "\${n##*/}" address show dev ${link} scope global 2>/dev/null || true`;
  const shown = await run(`for n in /var/run/netns/*; do [ ! -e "$n" ] || ${show}; done`);
  return {
    leased: leases.split("\n").filter(isAddress).sort(),
    used: [...shown.matchAll(/inet6? ([0-9a-f.:]+)/g)].map(([, address]) => address ?? "").sort(),
  };
}

function isAddress(name: string): boolean {
  return /^[0-9a-f]+[.:]/.test(name);
}
