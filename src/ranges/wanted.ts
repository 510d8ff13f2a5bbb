import type { Environment } from "../cni/environment.ts";
import type { Log } from "../host/log.ts";
import { bootID, machineIDs, uptime } from "../host/machine.ts";
import type { Source } from "./source.ts";

/** What to look for, and where it may be. Durations in seconds; `deadline` in milliseconds of the machine's clock. */
export type Wanted = {
  network: string;
  source: Source;
  /** For how long the last answer counts as fresh. */
  cacheTTL: number;
  nodeName?: string;
  kubeconfig?: string;
  env: Environment;
  stateFolder: string;
  /** An answer is neither kept there nor shared with those who ask at the same time. */
  keepsNothing?: boolean;
  /** Where the original may have left its cache; absent where it can't have. */
  legacy?: { dataDir: string | undefined };
  /** `long` where nothing else is known, `short` where last-known ranges can stand in. */
  patience: { long: number; short: number };
  log: Log;
};

/** Who and when this machine is. */
export type Here = { machineIDs: string[]; bootID: string; uptime: number };

export function readHere(): Here {
  return { machineIDs: machineIDs(), bootID: bootID(), uptime: uptime() };
}
