import { Registry } from "prom-client";
import { controllerName } from "../api/pool-names.ts";
import { countRequests, makeMetrics } from "../daemon/metrics.ts";
import type { Part } from "../daemon/part.ts";
import { type Life, runParts } from "../daemon/run-parts.ts";
import { startServer } from "../daemon/server.ts";
import { type Log, openStreamLog } from "../host/log.ts";
import { version } from "../host/version.ts";
import { readConnection } from "../kube/connection.ts";
import { createRenewedClient } from "../kube/renewed-client.ts";
import { Cluster } from "./cluster.ts";
import type { ControllerConfig } from "./config.ts";
import type { ControllerContext } from "./context.ts";
import { startElection } from "./elect.ts";
import { makeEvents } from "./events.ts";
import { limitRate, makeRateLimit } from "./limit-rate.ts";
import { definitions } from "./metric-definitions.ts";
import { watchOldController } from "./old-controller.ts";
import { makeQueue } from "./queue.ts";
import { serveMetrics } from "./serve-metrics.ts";
import { serveWebhook, type WebhookStart } from "./serve-webhook.ts";
import { serveSnapshots } from "./snapshots.ts";
import { watchSurroundings } from "./surroundings.ts";
import { watchCluster } from "./watch-cluster.ts";
import { startWork } from "./work.ts";

/** Until SIGTERM or SIGINT: 0. 1: it lost its lead, or a part did not end as it should. */
export function run(config: ControllerConfig, startWebhook: () => Promise<WebhookStart>): Promise<number> {
  const log = openStreamLog(config.logLevel, { identity: config.identity });
  return runParts(log, async (life, running) => {
    const context = await makeContext(config, log, life);
    await startAll(context, running, startWebhook);
  });
}

async function startAll(
  context: ControllerContext,
  running: Part[],
  startWebhook: () => Promise<WebhookStart>,
): Promise<void> {
  const { config, log, signal } = context;
  const { metricsAddress, healthAddress, debugAddress, webhook } = config;
  serveMetrics(context);
  const addresses = [metricsAddress, ...(healthAddress ? [healthAddress] : [])];
  running.push(await startServer({ ...context, addresses }, running), context.events.part);
  if (debugAddress) running.push(await serveSnapshots(debugAddress, log, signal));
  if (webhook) running.push(await serveWebhook(config, context, await startWebhook()));
  const election = startElection(context);
  running.push(election.part);
  if (!(await election.led)) return;
  const watches = watchCluster(context);
  if (config.serve) running.push(watchOldController(context));
  running.push(watches.part, context.surroundings.part, startWork(context, watches.listed));
}

async function makeContext(config: ControllerConfig, log: Log, life: Life): Promise<ControllerContext> {
  const registry = new Registry();
  const metrics = makeMetrics(definitions, registry);
  metrics.build.set({ version, runtime: runtimeName() }, 1);
  const connect = () => readConnection({ kubeconfig: config.kubeconfig, env: process.env });
  const open = async (metadataOnly: boolean, signal = life.signal) => {
    const client = await createRenewedClient(connect, {
      userAgent: controllerName,
      requestTimeoutMs: 30_000,
      metadataOnly,
      signal,
    });
    const asked = (verb: string) => metrics.apiRequests.inc({ verb });
    const failed = (verb: string, status: string) => metrics.apiErrors.inc({ verb, status });
    return countRequests({ asked, failed }, client);
  };
  const mayBegin = makeRateLimit(config.requestsPerSecond, life.signal);
  const [client, nodeClient] = [await open(false), await open(true)];
  const limited = limitRate(client, mayBegin);
  const cluster = new Cluster();
  const queue = makeQueue({
    onDone: (key, seconds) => metrics.reconciles.observe({ what: whatOf(key) }, seconds),
    onFailure: (key, error, pauseMs) => {
      metrics.failures.inc({ what: whatOf(key) });
      log.debug("comes again", { key, reason: (error as Error).message, pauseMs: Math.round(pauseMs) });
    },
  });
  return {
    ...{ config, log, registry, metrics, routes: new Map(), heard: new Map(), cluster, queue, ...life },
    client: limited,
    nodeClient: limitRate(nodeClient, mayBegin),
    leaseClient: await open(false, delayed(life.signal, 3000)),
    events: makeEvents({ client: limited, log, metrics, identity: config.identity }),
    surroundings: watchSurroundings({ client: limited, cluster, queue, log }),
  };
}

/** Aborted so many milliseconds later. */
function delayed(signal: AbortSignal, milliseconds: number): AbortSignal {
  const late = new AbortController();
  const wait = () => setTimeout(() => late.abort(signal.reason), milliseconds).unref();
  signal.addEventListener("abort", wait, { once: true });
  return late.signal;
}

function whatOf(key: string): string {
  return key.slice(0, key.indexOf("/"));
}

function runtimeName(): string {
  return process.versions["bun"] ? `bun ${process.versions["bun"]}` : `node ${process.versions.node}`;
}
