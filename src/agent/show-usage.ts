import { setTimeout as pause } from "node:timers/promises";
import { formatRange, spanOf } from "../address/range.ts";
import { CniError } from "../cni/error.ts";
import type { Part } from "../daemon/part.ts";
import { isErrno } from "../host/files.ts";
import { bootID, uptime } from "../host/machine.ts";
import { version } from "../host/version.ts";
import { type NetworkUsage, usageOf, usageOfRecords } from "../upkeep/network-usage.ts";
import { type Condition, conditionsOf, utilization } from "./conditions.ts";
import type { AgentContext } from "./context.ts";
import { isConnected, silenceOf } from "./last-heard.ts";
import { metricsIn } from "./metrics.ts";
import { networksIn } from "./networks.ts";
import { makeNodeEvents } from "./node-events.ts";
import { countPluginCalls } from "./plugin-calls.ts";

/** Milliseconds between two looks, and after a change of the Node, which may come in bursts. */
const between = 60_000;
const settling = 500;

/** Serves /metrics, as things are when they are asked for; and tells of what is wrong with ranges by events on the Node. */
export async function startUsage(context: AgentContext): Promise<Part> {
  const { config, log, signal, ownNode } = context;
  const metrics = metricsIn(context.metrics);
  const networks = networksIn(context);
  const events = makeNodeEvents(context);
  let full: ReadonlySet<string> = new Set();
  let words = "has not looked yet";
  let wake = new AbortController();

  async function read(): Promise<NetworkUsage[]> {
    const { served, places } = await networks.find();
    const known = new Set(served.map(({ dataDir, network }) => `${dataDir}/${network}`));
    const others = places.filter(({ dataDir, network }) => !known.has(`${dataDir}/${network}`));
    const node = ownNode.current();
    const boot = bootID();
    const usages = [
      ...served.flatMap((one) => attempt(one.network, () => usageOf(one, node, boot))),
      ...others.flatMap((one) => attempt(one.network, () => usageOfRecords(one))),
    ];
    words = `${usages.length} networks`;
    return usages;
  }

  /** One network that can't be read doesn't hide the others; the look for leaks says why. */
  function attempt(network: string, read: () => NetworkUsage): NetworkUsage[] {
    try {
      return [read()];
    } catch (error) {
      if (!(error instanceof CniError) && !isErrno(error, "EACCES", "EPERM", "EIO")) throw error;
      log.debug("a network is left out of what is shown", { network, reason: (error as Error).message });
      return [];
    }
  }

  async function refresh(): Promise<NetworkUsage[]> {
    const usages = await read();
    const silence = silenceOf(config);
    show(usages, silence);
    metrics.connected.set(Number(isConnected(silence)));
    if (silence !== undefined) metrics.lastHeard.set(silence);
    countPluginCalls(config, metrics);
    return usages;
  }

  function show(usages: NetworkUsage[], silence: number | undefined): void {
    for (const metric of [metrics.addresses, metrics.utilization, metrics.ranges, metrics.rangesAge])
      metric.reset();
    for (const { network, source, from, uses, answeredAt } of usages) {
      metrics.ranges.set({ network, source, from }, 1);
      const age = from === "node" ? silence : answeredAt && uptime() - answeredAt;
      if (age !== undefined) metrics.rangesAge.set({ network, source }, age);
      for (const use of uses) {
        const labels = {
          network,
          source,
          range: formatRange(use.range),
          family: `IPv${spanOf(use.range).first.family}`,
        };
        const counts = { total: use.size, used: use.used, free: use.free };
        for (const [state, count] of Object.entries(counts))
          metrics.addresses.set({ ...labels, state }, Number(count));
        metrics.utilization.set(labels, utilization(use));
      }
    }
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      try {
        const conditions: Condition[] = conditionsOf(await refresh(), full);
        full = new Set(conditions.filter(({ reason }) => reason !== "RangesMalformed").map(({ key }) => key));
        await events.tell(conditions, ownNode.current());
      } catch (error) {
        words = `the last look failed: ${(error as Error).message}`;
        log.error("what is used can't be read", { reason: (error as Error).message });
      }
      await pause(between, undefined, { signal: AbortSignal.any([signal, wake.signal]) }).catch(() => {});
      if (!wake.signal.aborted) continue;
      wake = new AbortController();
      await pause(settling, undefined, { signal }).catch(() => {});
    }
  }

  metrics.build.set({ version, runtime: runtimeName() }, 1);
  ownNode.onChange(() => wake.abort());
  context.routes.set("/metrics", async () => {
    await refresh();
    return { status: 200, type: context.metrics.contentType, body: await context.metrics.metrics() };
  });
  const running = run();
  return {
    name: "usage",
    stop: async () => {
      await Promise.all([running, networks.stop()]);
    },
    health: () => ({ live: true, ready: true, words }),
  };
}

function runtimeName(): string {
  const { bun, node } = process.versions;
  return bun === undefined ? `node ${node}` : `bun ${bun}`;
}
