import type { Registry } from "prom-client";
import type { Life } from "../daemon/run-parts.ts";
import type { Route } from "../daemon/server.ts";
import type { Log } from "../host/log.ts";
import type { Client } from "../kube/client.ts";
import type { Cluster } from "./cluster.ts";
import type { ControllerConfig } from "./config.ts";
import type { Events } from "./events.ts";
import type { Metrics } from "./metrics.ts";
import type { Queue } from "./queue.ts";
import type { Surroundings } from "./surroundings.ts";

/** What every part of the controller gets. Requests of `client` and `nodeClient` are counted, and no more than the limit allows. */
export type ControllerContext = Life & {
  config: ControllerConfig;
  log: Log;
  client: Client;
  /** Its answers are metadata only: for Nodes. */
  nodeClient: Client;
  /** Never waits for a turn, and serves some seconds longer than this program is to run: a Lease is given back. */
  leaseClient: Client;
  registry: Registry;
  metrics: Metrics;
  routes: Map<string, Route>;
  cluster: Cluster;
  /** Of `node/NAME` and `pool/KIND/NAME`. */
  queue: Queue;
  events: Events;
  surroundings: Surroundings;
  /** When each watch last heard of the API server, by performance.now(). */
  heard: Map<string, number>;
};
