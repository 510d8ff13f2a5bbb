import { setTimeout as pause } from "node:timers/promises";
import { isErrno } from "./files.ts";
import { type Child, spawn } from "./spawn.ts";

/** A program to start. */
export type Program = {
  path: string;
  args?: string[];
  /** The name that it is called by, where that isn't its path. */
  argv0?: string;
  env: Readonly<Record<string, string | undefined>>;
  /** Bytes of stdout that are kept at most; a program that prints more is as good as one that prints rubbish. */
  maxOutput?: number;
  /** Whether its stderr is kept, too; else it is ours. */
  keepStderr?: boolean;
};

/** What became of it: ended by a signal, by its deadline, or with a code of its own. */
export type Ended = {
  stdout: string;
  /** Where it was kept. */
  stderr?: string;
  exitCode: number | null;
  signal: string | null;
  timedOut: boolean;
};

/** Milliseconds of the machine's clock: at `deadline` a program is asked to end; before `end` it is killed and given up. */
export type Time = { deadline: number; end: number };

/** Runs a program to its end. Throws errno errors where it can't be started. */
export async function run(program: Program & { stdin: string; time: Time }): Promise<Ended> {
  return await finish(await begin(program), program.stdin, program.time);
}

/** Starts a program that waits for what it is to read. */
export async function begin({ path, args = [], maxOutput = 1 << 20, ...how }: Program): Promise<Child> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await spawn([path, ...args], { ...how, maxOutput });
    } catch (error) {
      // Its file is being replaced right now: the writer is soon done.
      if (attempt >= 5 || !isErrno(error, "ETXTBSY")) throw error;
      await pause(20 * attempt);
    }
  }
}

/** Gives it what it waits for, and waits for its end. */
export async function finish(child: Child, stdin: string, { deadline, end }: Time): Promise<Ended> {
  let timedOut = false;
  const sendAt = (signal: NodeJS.Signals, delay: number) =>
    setTimeout(() => {
      timedOut = true;
      child.kill(signal);
    }, delay);
  const left = Math.max(0, deadline - Date.now());
  const toTidyUp = Math.max(0, end - deadline);
  const timers = [sendAt("SIGTERM", left), sendAt("SIGKILL", left + toTidyUp * 0.6)];
  // A grandchild may hold the pipe open when the program itself is long gone.
  const givenUp = new Promise<undefined>((resolve) => {
    timers.push(setTimeout(() => resolve(undefined), left + toTidyUp * 0.9));
  });
  try {
    child.give(stdin);
    const exit = await Promise.race([child.exited, givenUp]);
    const stdout = await Promise.race([child.stdout, givenUp]);
    const stderr = child.stderr && (await Promise.race([child.stderr, givenUp]));
    return {
      stdout: stdout ?? "",
      ...(stderr !== undefined && { stderr }),
      exitCode: exit?.exitCode ?? null,
      signal: exit?.signal ?? null,
      timedOut,
    };
  } finally {
    for (const timer of timers) clearTimeout(timer);
  }
}
