import { setTimeout as pause } from "node:timers/promises";
import { controllerName } from "../api/pool-names.ts";
import type { Health, Part } from "../daemon/part.ts";
import { isStatus } from "../kube/api-error.ts";
import type { Client } from "../kube/client.ts";
import type { ControllerContext } from "./context.ts";
import { type Lease, mayTake, readLease, type Sight, takeLease, writeLease } from "./lease.ts";

/** `led` resolves once this one is the leader; false where it was told to end before. */
export type Election = { part: Part; led: Promise<boolean> };

/**
 * Saves work, and nothing else: safety never rests on it. A leader that can't renew its Lease in two thirds of its duration ends this
 * program, as others may lead by then.
 */
export function startElection(context: ControllerContext): Election {
  const { config, log, metrics } = context;
  if (!config.leaderElect) return alone(context);
  const client = context.leaseClient;
  const place = { namespace: config.leaseNamespace, name: controllerName };
  const seconds = Math.max(1, Math.round(config.leaseDurationMs / 1000));
  const retryMs = config.leaseDurationMs / 7;
  const ending = new AbortController();
  const { promise: led, resolve: settle } = Promise.withResolvers<boolean>();
  let sight: Sight = { lease: undefined, changedAt: performance.now() };
  let isLeader = false;
  let renewedAt = 0;
  let health: Health = { live: true, ready: true, words: "nobody was asked yet who leads" };

  function look(lease: Lease | undefined): void {
    const versionOf = (one: Lease | undefined) => one?.metadata.resourceVersion;
    if (versionOf(lease) !== versionOf(sight.lease)) sight = { lease, changedAt: performance.now() };
  }

  async function tryOnce(): Promise<void> {
    look(isLeader && sight.lease ? sight.lease : await readLease(client, place));
    if (!mayTake(sight, config.identity, performance.now())) {
      const holder = sight.lease?.spec.holderIdentity;
      health = { live: true, ready: true, words: `${holder} leads; this one waits` };
      return;
    }
    const askedAt = performance.now();
    look(
      await writeLease(
        client,
        place,
        sight.lease,
        takeLease(sight.lease, config.identity, seconds, new Date()),
      ),
    );
    renewedAt = askedAt;
    if (!isLeader) log.info("this one leads", { lease: `${place.namespace}/${place.name}` });
    isLeader = true;
    metrics.leader.set(1);
    health = { live: true, ready: true, words: "this one leads" };
    settle(true);
  }

  /** Somebody else wrote the Lease, or it isn't known whether we did: looked at anew. */
  function onFailure(error: unknown): void {
    const reason = (error as Error).message;
    if (isStatus(error, 409)) log.debug("the Lease was written meanwhile", { reason });
    else log.warn("the Lease can't be read or written", { reason });
    if (isLeader) sight = { lease: undefined, changedAt: performance.now() };
    else health = { live: true, ready: false, words: reason };
  }

  async function run(): Promise<void> {
    while (!ending.signal.aborted) {
      await tryOnce().catch(onFailure);
      if (isLeader && sight.lease === undefined) await readAgain();
      if (isLeader && sight.lease && sight.lease.spec.holderIdentity !== config.identity)
        return context.fail(`${sight.lease.spec.holderIdentity} leads now`);
      if (isLeader && performance.now() - renewedAt > (config.leaseDurationMs * 2) / 3)
        return context.fail("the Lease could not be renewed in time");
      await pause(retryMs * (0.8 + Math.random() * 0.4), undefined, { signal: ending.signal }).catch(
        () => {},
      );
    }
  }

  async function readAgain(): Promise<void> {
    const lease = await readLease(client, place).catch(() => undefined);
    if (lease) look(lease);
  }

  const done = run();
  // Who waits to lead is told to end, too: nothing else would stop it before it leads.
  context.signal.addEventListener("abort", () => settle(false), { once: true });
  return {
    led,
    part: {
      name: "leader",
      stop: async () => {
        ending.abort();
        settle(false);
        await done;
        if (isLeader) await release(client, sight.lease, config.identity);
      },
      health: () => health,
    },
  };

  async function release(client: Client, lease: Lease | undefined, self: string): Promise<void> {
    metrics.leader.set(0);
    if (lease?.spec.holderIdentity !== self) return;
    const spec = { ...takeLease(lease, self, 1, new Date()), holderIdentity: "" };
    await writeLease(client, place, lease, spec).catch(() => {}); // It runs out by itself.
  }
}

function alone({ metrics }: ControllerContext): Election {
  metrics.leader.set(1);
  const health = { live: true, ready: true, words: "no election: this one works, whoever else does" };
  return { led: Promise.resolve(true), part: { name: "leader", stop: async () => {}, health: () => health } };
}
