import type { Environment } from "../cni/environment.ts";
import type { CniError } from "../cni/error.ts";
import type { Log } from "../host/log.ts";
import { bootID, machineIDs, uptime } from "../host/machine.ts";
import type { LastAnswer } from "./last-answer.ts";
import type { NodeValue, Source } from "./source.ts";

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

/** What the API server said of a source, and when: uptime in that boot, and ISO 8601. */
export type Word = { value: NodeValue; bootID: string; at: number; time: string };

/** Says for how long a word of the API server counts. */
export type Fence = {
  hasExpired(word: Word, here: Here): boolean;
  /** What to say of a word that has expired, where the API server can't be asked for that `reason`. */
  refuse(word: Word, here: Here, reason: string): CniError;
  /** Leaves a word that somebody else was given behind as an answer of our own, unless `last` is as good. */
  keep(
    word: Word & Pick<LastAnswer, "node">,
    here: Here,
    last: LastAnswer | undefined,
    place: Pick<Wanted, "stateFolder" | "source" | "log">,
  ): void;
};
