import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Stage } from "./stage.ts";
import type { Wrap } from "./strace.ts";

/** A host-local whose DELs come to work `milliseconds` after they were told what to do. */
export type HeldUp = {
  /** Whether one was told. */
  hasBegun(): boolean;
  /** From now on no new one is held up. */
  free(): void;
};

export function holdUpDel({ worker, subject }: Stage, milliseconds: number): HeldUp {
  const mark = join(worker.folder, "held-up");
  const hostLocal = `'${subject.hostLocal.path}'`;
  const script = `#!/bin/sh
[ "$CNI_COMMAND" = DEL ] || exec ${hostLocal}
told=$(cat)
[ -n "$told" ] || exit 1
echo >'${mark}'
sleep ${milliseconds / 1000}
printf %s "$told" | ${hostLocal}
`;
  const wrapper = worker.putProgram("host-local", script);
  return { hasBegun: () => existsSync(mark), free: () => rmSync(wrapper) };
}

/** A call whose process, and nothing that it started, can be killed whenever one likes; nobody waits for that. */
export function killable(folder: string): { wrap: Wrap; kill(): void } {
  const path = join(folder, "pid");
  return {
    wrap: (command) => ["sh", "-c", `echo $$ >'${path}'; exec "$@" 2>/dev/null`, "sh", ...command],
    kill: () => void process.kill(Number(readFileSync(path, "utf8")), "SIGKILL"),
  };
}
