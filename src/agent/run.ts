import { Registry } from "prom-client";
import { type Log, openStreamLog } from "../host/log.ts";
import { version } from "../host/version.ts";
import { readConnection } from "../kube/connection.ts";
import { startLeaks } from "./collect-leaks.ts";
import type { AgentConfig } from "./config.ts";
import type { AgentContext, Part, StartPart } from "./context.ts";
import { makeOwnNode } from "./own-node.ts";
import { startServer } from "./server.ts";
import { startUsage } from "./show-usage.ts";

/** In the order of their start; they end the other way round. */
const parts: readonly StartPart[] = [startLeaks, startUsage];

/** Until SIGTERM or SIGINT. 0: all parts ended as they should. */
export async function run(config: AgentConfig): Promise<number> {
  const log = openStreamLog(config.logLevel, { node: config.nodeName });
  const ending = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => ending.abort(signal));
  log.info("starting", { version });
  const context = makeContext(config, log, ending.signal);
  const running: Part[] = [];
  try {
    running.push(await startServer(context, running));
    for (const start of parts) if (!ending.signal.aborted) running.push(await start(context));
    await untilAborted(ending.signal);
    log.info("ending", { reason: String(ending.signal.reason) });
    return (await stopAll(running, log)) ? 0 : 1;
  } catch (error) {
    ending.abort("failed");
    await stopAll(running, log);
    throw error;
  }
}

function makeContext(config: AgentConfig, log: Log, signal: AbortSignal): AgentContext {
  return {
    config,
    log,
    connect: () => readConnection({ kubeconfig: config.kubeconfig, env: process.env }),
    ownNode: makeOwnNode(config.nodeName),
    metrics: new Registry(),
    routes: new Map(),
    signal,
  };
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

async function stopAll(running: readonly Part[], log: Log): Promise<boolean> {
  let good = true;
  for (const part of running.toReversed()) {
    try {
      await part.stop();
    } catch (error) {
      good = false;
      log.error("a part did not end as it should", { part: part.name, reason: (error as Error).message });
    }
  }
  return good;
}
