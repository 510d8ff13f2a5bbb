import type { Verb } from "./plan.ts";

/** What a run of the benchmark found, as it stands in _output/bench.json. Times in milliseconds, memory in MiB. */
export type Results = {
  date: string;
  version: string;
  rounds: number;
  machine: { processor: string; processors: number; memoryGiB: number; kernel: string };
  versions: Record<string, string>;
  noise: { spread: number; loadBefore: number; loadAfter: number };
  /** What was left out, and why. */
  notes: string[];
  /** Names of the implementations that ours is measured against. */
  peers: string[];
  calls: CallRow[];
  executables: { name: string; bytes: number }[];
  work: WorkRow[];
  bursts?: BurstRow[];
  memory?: MemoryRow[];
  stores?: StoreRow[];
  profile?: ProfileTable[];
  variants?: VariantRow[];
  rollout?: RolloutRow[];
};

/** `ratio` is to bare host-local, by pairs of the same round; `added` is the p50 less host-local's. */
export type CallRow = {
  verb: Verb;
  contender: string;
  p50: number;
  p95: number;
  cpu: number;
  ratio: number;
  added: number;
};

/** Requests for Nodes and system calls of one call; those of its delegate count too. */
export type WorkRow = { contender: string; verb: Verb; requests: number; systemCalls?: number };

/** 200 ADDs, 32 at once, a second; `ratio` to host-local's. `requests`: for 100 ADDs that start together. */
export type BurstRow = { contender: string; rate: number; ratio: number; requests: number };

export type MemoryRow = { contender: string; peak: number; held?: { resident: number; private: number } };

/** `ours` and `hostLocal` with the real delegate; `own` is what ours adds to a delegate that answers at once. */
export type StoreRow = {
  leases: number;
  adoption: number;
  hostLocal: { ADD: number; DEL: number };
  ours: { ADD: number; DEL: number };
  own: { ADD: number; DEL: number };
};

/** Medians. A stage with `within` lies in the one of that name before it. */
export type ProfileTable = {
  title: string;
  total: number;
  stages: { stage: string; ms: number; within?: string }[];
};

/** `saves` are median differences to the executable as released, by pairs; `cpu` is the processors' time of an ADD. */
export type VariantRow = {
  name: string;
  bytes: number;
  ADD: number;
  DEL: number;
  peak: number;
  saves: { ADD: number; DEL: number; cpu: number };
};

/** Seconds from creating 100 pods until all are ready, a turn each; `ratio` of the medians to host-local's. */
export type RolloutRow = { contender: string; seconds: number[]; ratio: number };
