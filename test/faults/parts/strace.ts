import { readFileSync } from "node:fs";
import { join } from "node:path";
import { strace } from "../../parts/tools.ts";
import type { Difference, Worker } from "../../real/parts/worker.ts";

/** The `nth` call of a kind that a program's main thread makes; `words` are strace's, for people. */
export type SystemCall = { kind: string; nth: number; words: string };

export type Wrap = NonNullable<Difference["wrap"]>;

const changing = [
  ...["mkdir", "mkdirat", "rmdir", "link", "linkat", "unlink", "unlinkat", "rename", "renameat", "renameat2"],
  ...["write", "pwrite64", "sendto", "vfork", "exit_group"],
];
const looking = ["open", "openat", "read", "close", "getdents64", "statx", "access", "socketpair"];
const kinds = [...changing, ...looking];

/** Whether being killed in its place may leave something else behind than being killed at the call after it. */
export function isStep({ kind }: SystemCall): boolean {
  return changing.includes(kind) || kind === "openat" || kind === "open" || kind === "getdents64";
}

/**
 * Runs a call to its end and gives the calls of its own: of its main thread, from where it starts a delegate on, the
 * runtime's start-up being over.
 */
export async function traceCall(worker: Worker, verb: string, difference: Difference): Promise<SystemCall[]> {
  const run = (wrap: Wrap) => worker.call(verb, { ...difference, wrap });
  return await traceRun(join(worker.folder, "trace"), run, ["socketpair"]);
}

/** The same of any program, from its first call of these kinds on. */
export async function traceRun(
  log: string,
  run: (wrap: Wrap) => Promise<unknown>,
  from: string[],
): Promise<SystemCall[]> {
  await run((command) => [...tracer(log), ...command]);
  const calls = readCalls(log);
  const first = calls.findIndex(({ kind }) => from.includes(kind));
  return calls.slice(Math.max(first, 0)).filter(({ words }) => !words.includes("/proc/self/"));
}

/** What a trace says, call by call. */
function readCalls(log: string): SystemCall[] {
  const counts = new Map<string, number>();
  return readFileSync(log, "utf8")
    .split("\n")
    .flatMap((line) => {
      const kind = /^(?:\d+ +)?(\w+)\(/.exec(line)?.[1];
      if (kind === undefined || !kinds.includes(kind)) return [];
      const nth = (counts.get(kind) ?? 0) + 1;
      counts.set(kind, nth);
      return [{ kind, nth, words: line.replace(/\s+=.*/, "") }];
    });
}

/** SIGKILL in the place of the call. */
export function killedAt(call: SystemCall, log: string): Wrap {
  return injecting(call, "signal=KILL", log);
}

/** An error in the place of the call. */
export function failingAt(call: SystemCall, error: string, log: string): Wrap {
  return injecting(call, `error=${error}`, log);
}

/** The call happens so much later. */
export function delayedAt(call: SystemCall, milliseconds: number, log: string): Wrap {
  return injecting(call, `delay_enter=${milliseconds * 1000}`, log);
}

function injecting({ kind, nth }: SystemCall, what: string, log: string): Wrap {
  return (command) => [...tracer(log), "-e", `inject=${kind}:${what}:when=${nth}`, ...command];
}

function tracer(log: string): string[] {
  const { path = "strace" } = strace();
  return [path, "-y", "-o", log, "-s", "60", "-e", `trace=${kinds.map((kind) => `?${kind}`).join()}`];
}
