import type { Registry } from "prom-client";
import type { Part } from "../daemon/part.ts";
import type { Route } from "../daemon/server.ts";
import type { Log } from "../host/log.ts";
import type { Connection } from "../kube/connection.ts";
import type { AgentConfig } from "./config.ts";
import type { OwnNode } from "./own-node.ts";

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

/** Starts a part. It resolves soon, whatever the cluster does: what may take time goes on in the background. */
export type StartPart = (context: AgentContext) => Promise<Part>;
