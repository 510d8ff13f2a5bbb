import { Registry } from "prom-client";
import type { Part } from "../daemon/part.ts";
import { type Life, runParts } from "../daemon/run-parts.ts";
import { startServer } from "../daemon/server.ts";
import { type Log, openStreamLog } from "../host/log.ts";
import { readConnection } from "../kube/connection.ts";
import { startLeaks } from "./collect-leaks.ts";
import type { AgentConfig } from "./config.ts";
import type { AgentContext, StartPart } from "./context.ts";
import { startFollowing } from "./follow.ts";
import { holdLock } from "./hold-lock.ts";
import { startInstalling } from "./install.ts";
import { startMovingIn } from "./move-in.ts";
import { makeOwnNode } from "./own-node.ts";
import { startPoolBlocks } from "./pool-blocks.ts";
import { startUsage } from "./show-usage.ts";

/** In the order of their start; they end the other way round. */
const parts: readonly StartPart[] = [
  startFollowing,
  startMovingIn,
  startInstalling,
  startLeaks,
  startUsage,
  startPoolBlocks,
];

/** Until SIGTERM or SIGINT: 0. 1: a part failed, or did not end as it should. */
export function run(config: AgentConfig): Promise<number> {
  const log = openStreamLog(config.logLevel, { node: config.nodeName });
  return runParts(log, (life, running) => startAll(makeContext(config, log, life), running));
}

async function startAll(context: AgentContext, running: Part[]): Promise<void> {
  const { metricsAddress, healthAddress } = context.config;
  const addresses = [metricsAddress, ...(healthAddress ? [healthAddress] : [])];
  running.push(await startServer({ ...context, addresses }, running));
  const lock = holdLock(context);
  running.push(lock.part);
  if (!(await lock.held)) return;
  for (const start of parts) if (!context.signal.aborted) running.push(await start(context));
}

function makeContext(config: AgentConfig, log: Log, life: Life): AgentContext {
  return {
    config,
    log,
    connect: () => readConnection({ kubeconfig: config.kubeconfig, env: process.env }),
    ownNode: makeOwnNode(config.nodeName),
    metrics: new Registry(),
    routes: new Map(),
    ...life,
  };
}
