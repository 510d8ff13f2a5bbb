import { isatty } from "node:tty";
import type { Environment } from "../cni/environment.ts";
import { writeAll } from "../host/files.ts";
import { harmless } from "../terminal/harmless.ts";
import { type Paint, paintFor } from "../terminal/paint.ts";

/** Where a command finds its environment and shows what it has to show. */
export type Terminal = {
  env: Environment;
  /** What was asked for: standard output, a line end added. */
  say(text: string): void;
  /** Progress and warnings: standard error, a line end added. */
  note(text: string): void;
  /** Colours of standard output. */
  paint: Paint;
};

/** This process's own standard output and error. */
export function openTerminal(env: Environment): Terminal {
  return {
    env,
    say: (text) => writeAll(1, `${harmless(text)}\n`),
    note: (text) => writeAll(2, `${harmless(text)}\n`),
    paint: paintFor(isatty(1), env),
  };
}
