// What the benchmark (Node) and its runner (Bun) say to each other, as JSON.

export type Verb = "ADD" | "CHECK" | "DEL";

/** A program with all that it is started with, but for verb and container. */
export type Contender = {
  name: string;
  command: string[];
  stdin: string;
  env: Record<string, string>;
  /** The verbs it takes part in; all where absent. */
  verbs?: Verb[];
  /** Texts that are written before each call and removed after it; `$UPTIME` in them is the machine's. */
  files?: Record<string, string>;
  /** Files that are removed before each call. */
  forgets?: string[];
};

/** Container ids begin with `tag`. */
export type Job = { tag: string } & (
  | { kind: "turns"; contenders: Contender[]; verbs: Verb[]; rounds: number; warmup: number }
  | { kind: "burst"; contender: Contender; calls: number; atOnce: number }
  | { kind: "memory"; contender: Contender; calls: number }
  | { kind: "held"; contender: Contender; calls: number; gate: Gate }
);

/** How calls are held up: by standard input that doesn't end, or by a delegate that waits for `file` to go away. */
export type Gate = "stdin" | { file: string };

/** One call: from before it is started until its output has ended and it is gone. `started` is milliseconds since 1970. */
export type Sample = {
  contender: string;
  verb: Verb;
  round: number;
  ms: number;
  cpuMs: number;
  started: number;
};

export type BurstResult = { ms: number };

/** The most that was resident at once, in KiB, a call. */
export type MemoryResult = { peaks: number[] };

/** Of calls that live at the same time, in KiB: what is resident, and how much of that no other process has. */
export type HeldResult = { resident: number[]; private: number[] };

export type ResultOf<J extends Job> = J extends { kind: "turns" }
  ? Sample[]
  : J extends { kind: "burst" }
    ? BurstResult
    : J extends { kind: "memory" }
      ? MemoryResult
      : HeldResult;
