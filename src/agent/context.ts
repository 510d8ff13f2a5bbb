import type { Registry } from "prom-client";
import type { Log } from "../host/log.ts";
import type { Connection } from "../kube/connection.ts";
import type { AgentConfig } from "./config.ts";
import type { OwnNode } from "./own-node.ts";
import type { Route } from "./server.ts";

/** What every part of the agent gets. Parts share nothing else. */
export type AgentContext = {
  config: AgentConfig;
  log: Log;
  /** Credentials and authority as they are now: read anew at every call, since both are rotated. */
  connect(): Promise<Connection>;
  /** The Node that the agent runs on, as its watch last saw it. */
  ownNode: OwnNode;
  metrics: Registry;
  /** What the HTTP server answers, by path; parts add theirs. */
  routes: Map<string, Route>;
  /** Aborted when the agent is to end, before the parts are stopped. */
  signal: AbortSignal;
  /** Ends the whole agent with exit code 1: for what only a restart mends, or what must not go on. */
  fail(reason: string): void;
};

/**
 * A part that runs beside the others. `stop` resolves when nothing of it is left running.
 */
export type Part = { name: string; stop(): Promise<void>; health(): Health };

/**
 * `live: false` asks for a restart of the whole agent, so only for what a restart mends. `ready: false`: the part does not do (or
 * not yet) what it is for. `words` say what is so, for people.
 */
export type Health = { live: boolean; ready: boolean; words: string };

/** Starts a part. It resolves soon, whatever the cluster does: what may take time goes on in the background. */
export type StartPart = (context: AgentContext) => Promise<Part>;
