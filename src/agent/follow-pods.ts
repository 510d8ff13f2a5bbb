import { setTimeout as pause } from "node:timers/promises";
import { uptime } from "../host/machine.ts";
import { follow } from "../kube/follow.ts";
import { openClient } from "./client.ts";
import type { AgentContext } from "./context.ts";
import { gather, identify, type KnownPods, type PodIdentity } from "./known-pods.ts";

/** This node's pods as they are known now; undefined while the API server isn't heard. */
export type Pods = { current(): KnownPods | undefined; stop(): Promise<void> };

/** Seconds by which a watch may be behind; a list is as new as its request. */
const behind = 30;
/** Milliseconds of the first pause after a failure, and of the longest. */
const pauses = { first: 1000, longest: 300_000 };

/**
 * One list and one watch, of this node's pods alone. After any trouble it begins anew with a new connection, since credentials
 * and authorities are rotated; until then nothing is known of pods.
 */
export function followPods(context: AgentContext): Pods {
  let known: KnownPods | undefined;
  const ending = new AbortController();
  const signal = AbortSignal.any([context.signal, ending.signal]);

  async function attempt(): Promise<string | undefined> {
    const trouble = new AbortController();
    let words: string | undefined;
    let pods: readonly PodIdentity[] = [];
    try {
      const client = await openClient(context, { signal });
      const askedAt = uptime();
      let asOf: number | undefined;
      await follow(
        client,
        {
          path: "/api/v1/pods",
          fieldSelector: `spec.nodeName=${context.config.nodeName}`,
          pick: identify,
          onChange: (all) => {
            pods = [...all.values()];
          },
          onHeard: () => {
            asOf = asOf === undefined ? askedAt : Math.max(asOf, uptime() - behind);
            known = gather(pods, asOf);
          },
          onTrouble: (said) => {
            words ??= said;
            trouble.abort();
          },
        },
        AbortSignal.any([signal, trouble.signal]),
      ).finally(() => client.close());
    } catch (error) {
      words ??= (error as Error).message;
    }
    return words;
  }

  async function run(): Promise<void> {
    for (let failures = 0; !signal.aborted; failures++) {
      const began = uptime();
      const words = await attempt();
      known = undefined;
      if (signal.aborted) return;
      if (uptime() - began > 60) failures = 0;
      context.log.warn("pods are not known: the API server isn't heard", { reason: words ?? "" });
      const growing = Math.min(pauses.longest, pauses.first * 2 ** failures) * (0.5 + Math.random());
      await pause(growing, undefined, { signal }).catch(() => {});
    }
  }

  const running = run();
  return {
    current: () => known,
    stop: async () => {
      ending.abort();
      await running;
    },
  };
}
