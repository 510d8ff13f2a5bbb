import type { Call, Environment } from "../cni/environment.ts";
import { begin } from "../host/exec.ts";
import type { Child } from "../host/spawn.ts";
import { findDelegate } from "../request/find-delegate.ts";

/**
 * host-local, started before anything else and told last: its start-up then runs beside ours. It does nothing before it
 * has read its configuration, and ends where it gets none. Only host-local is known to be so; it is a guess until the
 * configuration was read.
 */
export type EarlyDelegate = {
  /** The program at this path, with this call's own environment, once; undefined where it is another, or none. */
  take(path: string, env: Environment): Promise<Child> | undefined;
  /** Its process, while nobody has taken it. */
  pid(): Promise<number | undefined>;
  /** To be called in the end, whatever happened. */
  abandon(): Promise<void>;
};

export function beginEarly(call: Call, env: Environment): EarlyDelegate {
  if (!("attachment" in call)) return noEarlyDelegate;
  let waiting = start(call.path, env);
  return {
    take(path, asked) {
      const child = waiting?.path === path && asked === env ? waiting.child : undefined;
      if (child) waiting = undefined;
      return child;
    },
    async pid() {
      return await waiting?.child.then((child) => child.pid).catch(() => undefined);
    },
    async abandon() {
      await waiting?.child.then((child) => child.kill("SIGKILL")).catch(() => {});
    },
  };
}

export const noEarlyDelegate: EarlyDelegate = {
  take: () => undefined,
  pid: async () => undefined,
  abandon: async () => {},
};

function start(folders: string[], env: Environment): { path: string; child: Promise<Child> } | undefined {
  try {
    const path = findDelegate({ name: "host-local", folders });
    const child = begin({ path, env });
    child.catch(() => {}); // Said by the one who takes it.
    return { path, child };
  } catch {
    return undefined; // The verb looks for its delegate again, and says what is wrong.
  }
}
