import type { Command } from "commander";
import { writeAll } from "../host/files.ts";
import { type Client, createClient } from "../kube/client.ts";
import type { Environment } from "../kube/connection.ts";
import { readKubectlConnection } from "../kube/kubectl-connection.ts";
import { harmless } from "../terminal/harmless.ts";
import { type Paint, paintFor } from "../terminal/paint.ts";
import { type GlobalFlags, overridesOf, timeoutOf } from "./global-flags.ts";

/** What a command has around itself. Results go to stdout, all else that is said to stderr. */
export type Shell = {
  env: Environment;
  /** The width, as it is now, of the terminal that shows stdout; undefined where it is none. One that says none counts as 80 by 24. */
  readonly width: number | undefined;
  /** Its lines. */
  readonly height: number | undefined;
  paint: Paint;
  /** A line, or several, on stdout. */
  print(text: string): void;
  /** The same in the place of all that the terminal shows. */
  repaint(text: string): void;
  /** The same on stderr. */
  say(text: string): void;
  /** A line on stderr that the next one replaces; nothing where stderr is no terminal. */
  progress(text: string): void;
  /** The cluster that the command's global flags choose, and the namespace of -n or the context. */
  connect(command: Command): Promise<{ client: Client; namespace: string }>;
};

export function openShell(env: Environment): Shell {
  const { stdout, stderr } = process;
  let shown = 0;
  const clear = () => {
    if (shown > 0) writeAll(2, "\r\u001b[K");
    shown = 0;
  };
  return {
    env,
    get width() {
      return stdout.isTTY ? stdout.columns || 80 : undefined;
    },
    get height() {
      return stdout.isTTY ? stdout.rows || 24 : undefined;
    },
    paint: paintFor(stdout.isTTY === true, env),
    print(text) {
      clear();
      writeAll(1, `${harmless(text)}\n`);
    },
    repaint(text) {
      clear();
      writeAll(1, `\u001b[H\u001b[2J${harmless(text)}\n`);
    },
    say(text) {
      clear();
      writeAll(2, `${harmless(text)}\n`);
    },
    progress(text) {
      if (!stderr.isTTY) return;
      clear();
      writeAll(2, harmless(text));
      shown = text.length;
    },
    async connect(command) {
      const flags = command.optsWithGlobals<GlobalFlags>();
      const { connection, namespace, impersonation } = await readKubectlConnection(overridesOf(flags), env);
      const requestTimeoutMs = timeoutOf(flags);
      const client = await createClient(connection, {
        ...(impersonation && { impersonation }),
        ...(requestTimeoutMs !== undefined && { requestTimeoutMs }),
      });
      return { client, namespace };
    },
  };
}
