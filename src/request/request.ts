import type { Environment } from "../cni/environment.ts";
import type { Network } from "../cni/network.ts";
import type { Log } from "../host/log.ts";
import type { State } from "../lease/state.ts";
import type { Source } from "../ranges/source.ts";
import type { JsonObject } from "../text/json.ts";
import type { Budget } from "./budget.ts";

/** How this network's delegate is found: by its name in `folders`, or by a path that the node's own file gives. */
export type DelegateChoice = { name: string; path?: string; folders: string[] };

/** What standard input and the environment say, checked once. */
export type ReadRequest = {
  network: Network;
  source: Source;
  /** For how long an answer of the API server counts as fresh, in seconds. */
  cacheTTL: number;
  ipv4Namespaces?: string[];
  kubeconfig?: string;
  nodeName?: string;
  dataDir?: string;
  /** Whether the original may have left its cache here. */
  mayHaveLegacyCache: boolean;
  delegate: DelegateChoice;
  /** What goes into the delegate's `ipam` beside the ranges. */
  passedOn: JsonObject;
  /** Changes what the Node says into what the delegate takes. */
  prepare(ipam: JsonObject): JsonObject;
  state: State;
  budget: Budget;
  env: Environment;
  log: Log;
};
