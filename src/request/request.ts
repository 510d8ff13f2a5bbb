import type { PoolReference } from "../api/pool-names.ts";
import type { Attachment, CallArguments, Environment } from "../cni/environment.ts";
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
  /** For a DEL without a record: what an original's ADD may have got. Undefined: that isn't known, or not needed. */
  leasedBefore?(attachment: Attachment): Promise<JsonObject | undefined>;
  pooled?: Pooled;
  state: State;
  budget: Budget;
  env: Environment;
  log: Log;
};

/** What is different where the ranges are a pool's. Errors are thrown before anything was given. */
export type Pooled = {
  pools: readonly PoolReference[];
  /** Of a configuration for nv-ipam, whose daemon may be at work still. */
  isNvIpams: boolean;
  /** Whether nothing that nv-ipam leased out of these pools is to be taken over first (upkeep/move-in.ts). */
  isMovedIn(stateFolder: string): boolean;
  /** Of an attachment that ended before it was taken over nothing is to come back. */
  ended(stateFolder: string, attachment: Attachment): void;
  /** To be called before anything is kept or leased on this machine. */
  begin(): void;
  /** What an ADD asks its delegate for, and what becomes of the result. */
  askFor(
    ipam: JsonObject,
    call: { node: string; args: CallArguments; env: Environment; stateFolder: string },
  ): { ipam: JsonObject; raw: JsonObject; env: Environment; answer(stdout: string): string };
};
