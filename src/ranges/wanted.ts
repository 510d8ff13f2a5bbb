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
  /** Hears of each source that is looked at, for people who ask why. */
  tell?(step: Step): void;
  /** `long` where nothing else is known, `short` where last-known ranges can stand in. */
  patience: { long: number; short: number };
  log: Log;
};

/** Where ranges can come from, in the order in which they are looked for: `fresh` and `last-known` are both the answer that was kept. */
export const origins = ["agent", "fresh", "asked", "last-known", "legacy"] as const;

export type Origin = (typeof origins)[number];

/** One source, as the search found it: taken, or passed over for a reason. `age` is of what stands there, in seconds. */
export type Step = { origin: Origin; age?: number } & ({ taken: true } | { taken: false; why: string });

/** Says why something is as good as not there. */
export type Refuse = (why: string) => undefined;

export const refuseSilently: Refuse = () => undefined;

/** Who and when this machine is. */
export type Here = { machineIDs: string[]; bootID: string; uptime: number };

export function readHere(): Here {
  return { machineIDs: machineIDs(), bootID: bootID(), uptime: uptime() };
}
