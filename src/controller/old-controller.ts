import { setTimeout as pause } from "node:timers/promises";
import { nvIpamLease } from "../api/nv-ipam.ts";
import { poolKey } from "../api/pool-names.ts";
import type { Part } from "../daemon/part.ts";
import type { ControllerContext } from "./context.ts";
import { type Lease, mayTake, readLease, type Sight } from "./lease.ts";

/**
 * Sees to it that the served group is left alone while nv-ipam's controller leads, and as long as that can't be known. A Lease that nobody
 * renews runs out by our own clock.
 */
export function watchOldController(context: ControllerContext): Part {
  const { config, cluster, log, metrics, queue } = context;
  const namespaces = config.serve?.leaseNamespaces ?? [];
  const sights = new Map<string, Sight>();
  const everyMs = config.leaseDurationMs / 7;
  const ending = new AbortController();
  const signal = AbortSignal.any([context.signal, ending.signal]);

  async function look(): Promise<void> {
    const held = (await Promise.all(namespaces.map(lookIn))).find((words) => words !== undefined);
    metrics.servedHeld.set(held === undefined ? 0 : 1);
    if (held === cluster.serving.held) return;
    if (held === undefined) log.info("nv-ipam's controller doesn't run: its pools are served", {});
    else log.error("nv-ipam's pools are not served", { reason: held });
    cluster.serving.held = held;
    for (const record of cluster.pairs.allServed) queue.add(`pool/${poolKey(record)}`);
  }

  async function lookIn(namespace: string): Promise<string | undefined> {
    try {
      const lease = await readLease(context.leaseClient, { namespace, name: nvIpamLease });
      return holderOf(namespace, see(namespace, lease));
    } catch (error) {
      return `whether nv-ipam's controller runs can't be known: ${(error as Error).message}`;
    }
  }

  function see(namespace: string, lease: Lease | undefined): Sight {
    const before = sights.get(namespace);
    const isSame = before && before.lease?.metadata.resourceVersion === lease?.metadata.resourceVersion;
    const sight = isSame ? before : { lease, changedAt: performance.now() };
    sights.set(namespace, sight);
    return sight;
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      await look();
      await pause(everyMs, undefined, { signal }).catch(() => {});
    }
  }

  const done = run();
  return {
    name: "old-controller",
    stop: async () => {
      ending.abort();
      await done;
    },
    health: () => ({
      live: true,
      ready: true,
      words: cluster.serving.held ?? "nv-ipam's controller doesn't run",
    }),
  };
}

function holderOf(namespace: string, sight: Sight): string | undefined {
  if (mayTake(sight, "", performance.now())) return undefined;
  const holder = sight.lease?.spec.holderIdentity;
  return `nv-ipam's controller (${holder}) holds the Lease ${namespace}/${nvIpamLease}: stop it, by scaling its Deployment to 0 replicas; until then nothing of its pools is given, and nothing written to them`;
}
