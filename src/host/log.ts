import { closeSync, constants, openSync, realpathSync, writeSync } from "node:fs";
import { hostName } from "./machine.ts";
import { isPodsFile } from "./pods-files.ts";
import { isSystemFile } from "./system-files.ts";

type Fields = Record<string, unknown>;
type Write = (message: string, fields: Fields) => void;

/** Messages are constant, what varies goes into the fields. */
export type Log = Record<"trace" | "debug" | "info" | "warn" | "error", Write>;

/** pino's numbers, so that its tools read our lines. */
const levels = { trace: 10, debug: 20, info: 30, warn: 40, error: 50 };

/** The original's levels: `debug`, `trace`, or a number of verbosity (1 is debug, 2 and more trace); anything else is info. */
export function parseLevel(text: string | undefined): number {
  const word = text?.toLowerCase() ?? "";
  const verbosity = word === "trace" ? 2 : word === "debug" ? 1 : Math.abs(Number.parseInt(word, 10) || 0);
  return verbosity >= 2 ? levels.trace : verbosity === 1 ? levels.debug : levels.info;
}

/**
 * One JSON line an event, appended by one write so that lines of concurrent calls don't mix. Without a file, or where the file
 * is the system's or may be a pod's, warnings go to stderr: a tenant may have named it.
 */
export function openLog(named: string | undefined, level: number, context: Fields = {}): Log {
  const file = named && isFit(named) ? named : undefined;
  return makeLog(file, file ? level : levels.warn, context);
}

/** The log of a program that keeps running: everything from this level up, to stderr. */
export function openStreamLog(level: keyof Log, context: Fields = {}): Log {
  return makeLog(undefined, levels[level], context);
}

function makeLog(file: string | undefined, lowest: number, context: Fields): Log {
  const write = (name: keyof typeof levels) => (message: string, fields: Fields) => {
    const number = levels[name];
    if (number < lowest) return;
    const head = { level: number, time: Date.now(), pid: process.pid, hostname: hostName() };
    append(file, `${JSON.stringify({ ...head, ...context, ...fields, msg: message })}\n`);
  };
  const [trace, debug, info, warn, error] = [
    write("trace"),
    write("debug"),
    write("info"),
    write("warn"),
    write("error"),
  ];
  return { trace, debug, info, warn, error };
}

function isFit(path: string): boolean {
  const real = realPathOf(path);
  return !isSystemFile(real) && !isPodsFile(real);
}

/** With all links followed; of a file that isn't there yet, those on the way to it. */
function realPathOf(path: string): string {
  const slash = path.lastIndexOf("/");
  for (const [start, rest] of [
    [path, ""],
    [path.slice(0, slash) || "/", path.slice(slash)],
  ] as const) {
    try {
      return realpathSync(start) + rest;
    } catch {
      // Not there, or a pipe that has no path.
    }
  }
  return path;
}

/** A log that can't be written, or a pipe that nobody reads, stops no call. */
function append(file: string | undefined, line: string): void {
  try {
    if (file) appendLine(file, line);
    else writeSync(2, line);
  } catch {
    // Nowhere left to say it.
  }
}

function appendLine(file: string, line: string): void {
  const { O_APPEND, O_CREAT, O_NONBLOCK, O_WRONLY } = constants;
  const fd = openSync(file, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK, 0o640);
  try {
    writeSync(fd, line);
  } finally {
    closeSync(fd);
  }
}
