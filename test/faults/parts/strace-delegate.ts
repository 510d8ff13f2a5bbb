import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { PluginAnswer } from "../../parts/plugin.ts";
import { strace } from "../../parts/tools.ts";
import type { Difference } from "../../real/parts/worker.ts";
import type { Stage } from "./stage.ts";

/** The `nth` call of a kind that host-local makes on a file (or the folder) of network "net1". */
export type StoreCall = { kind: string; file: string; nth: number };

const kinds = ["openat", "write", "flock", "mkdirat", "unlinkat"];

/** Runs a call to its end and gives those that host-local makes on its store. */
export async function traceStore(stage: Stage, verb: string, difference: Difference): Promise<StoreCall[]> {
  const { worker } = stage;
  const log = join(worker.folder, "trace");
  await callTraced(stage, verb, difference, `-y -o '${log}' -e trace=${kinds.join()}`);
  const counts = new Map<string, number>();
  return readFileSync(log, "utf8")
    .split("\n")
    .flatMap((line) => {
      const kind = /^\d+ +(\w+)\(/.exec(line)?.[1];
      const path = line.split(/["<>]/).find((part) => part.startsWith(worker.dataDir));
      if (kind === undefined || path === undefined) return [];
      const file = path.slice(worker.dataDir.length + 1);
      const nth = (counts.get(`${kind} ${file}`) ?? 0) + 1;
      counts.set(`${kind} ${file}`, nth);
      return [{ kind, file, nth }];
    });
}

/** SIGKILL for host-local in the place of that call; strace counts by thread, so that it may come too late to happen. */
export async function killedOn(
  stage: Stage,
  verb: string,
  difference: Difference,
  { kind, file, nth }: StoreCall,
): Promise<PluginAnswer> {
  const path = join(stage.worker.dataDir, file);
  const inject = `-P '${path}' -e trace=${kind} -e inject=${kind}:signal=KILL:when=${nth}`;
  return await callTraced(stage, verb, difference, `-o /dev/null ${inject}`);
}

async function callTraced(
  { worker, subject }: Stage,
  verb: string,
  difference: Difference,
  options: string,
): Promise<PluginAnswer> {
  const wrapper = worker.putProgram("host-local", scriptOf(options, subject.hostLocal.path));
  const answer = await worker.call(verb, difference);
  rmSync(wrapper);
  return answer;
}

/** host-local waits so long before each time that it takes or lets go of the store's lock. Gives what ends that for later calls. */
export function holdUpAtLock({ worker, subject }: Stage, milliseconds: number): () => void {
  const inject = `-e trace=flock -e inject=flock:delay_enter=${milliseconds * 1000}`;
  const wrapper = worker.putProgram("host-local", scriptOf(`-o /dev/null ${inject}`, subject.hostLocal.path));
  return () => rmSync(wrapper);
}

function scriptOf(options: string, hostLocal: string): string {
  return `#!/bin/sh\nexec '${strace().path}' -qq -f ${options} '${hostLocal}'\n`;
}
