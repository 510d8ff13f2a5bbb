import { Registry } from "prom-client";
import { type Log, openStreamLog } from "../host/log.ts";
import { version } from "../host/version.ts";
import { readConnection } from "../kube/connection.ts";
import { startLeaks } from "./collect-leaks.ts";
import type { AgentConfig } from "./config.ts";
import type { AgentContext, Part, StartPart } from "./context.ts";
import { startFollowing } from "./follow.ts";
import { holdLock } from "./hold-lock.ts";
import { startInstalling } from "./install.ts";
import { makeOwnNode } from "./own-node.ts";
import { startServer } from "./server.ts";
import { startUsage } from "./show-usage.ts";

/** In the order of their start; they end the other way round. */
const parts: readonly StartPart[] = [startFollowing, startInstalling, startLeaks, startUsage];

/** Until SIGTERM or SIGINT: 0. 1: a part failed, or did not end as it should. */
export async function run(config: AgentConfig): Promise<number> {
  const log = openStreamLog(config.logLevel, { node: config.nodeName });
  const ending = new AbortController();
  const end = (reason: string) => ending.abort(reason);
  let failed = false;
  const fail = (reason: string) => {
    if (!ending.signal.aborted) log.error("this agent gives up", { reason });
    failed = true;
    end(reason);
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => end(signal));
  log.info("starting", { version });
  const running: Part[] = [];
  try {
    await startAll(makeContext(config, log, ending.signal, fail), running);
    await untilAborted(ending.signal);
    log.info("ending", { reason: String(ending.signal.reason) });
  } catch (error) {
    fail((error as Error).message);
  }
  const isGood = await stopAll(running, log);
  return isGood && !failed ? 0 : 1;
}

async function startAll(context: AgentContext, running: Part[]): Promise<void> {
  running.push(await startServer(context, running));
  const lock = holdLock(context);
  running.push(lock.part);
  if (!(await lock.held)) return;
  for (const start of parts) if (!context.signal.aborted) running.push(await start(context));
}

function makeContext(
  config: AgentConfig,
  log: Log,
  signal: AbortSignal,
  fail: (reason: string) => void,
): AgentContext {
  return {
    config,
    log,
    connect: () => readConnection({ kubeconfig: config.kubeconfig, env: process.env }),
    ownNode: makeOwnNode(config.nodeName),
    metrics: new Registry(),
    routes: new Map(),
    signal,
    fail,
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
