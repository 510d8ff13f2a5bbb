import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { execa } from "execa";
import { onTestFinished } from "vitest";
import { startGuarded } from "../../parts/guarded-process.ts";
import { addressesIn, expectSilence, readFailure } from "../../real/parts/answers.ts";
import { listLeases, listRecords } from "../../real/parts/store.ts";
import type { Worker } from "../../real/parts/worker.ts";
import type { Wrap } from "./strace.ts";

/** A mount namespace that lasts as long as the test: what is mounted there nobody else sees. Needs root. */
export type MountSpace = {
  wrap: Wrap;
  /** Where a path of there is found from here. */
  seen(path: string): string;
  /** A shell script, run there; its words are $1, $2, …. */
  run(script: string, ...words: string[]): Promise<void>;
};

export async function openMountSpace(): Promise<MountSpace> {
  const folder = mkdtempSync(join(tmpdir(), "mount-space-"));
  const file = join(folder, "pid");
  const script = 'echo $$ >"$0.new" && mv "$0.new" "$0" && exec sleep infinity';
  const command = ["--mount", "--propagation", "private", "sh", "-c", script, file];
  const holder = startGuarded("unshare", command, join(folder, "log"));
  onTestFinished(async () => {
    await holder.kill();
    rmSync(folder, { recursive: true });
  });
  while (!existsSync(file)) {
    if (holder.hasExited()) throw new Error(`no mount namespace: ${holder.lastWords()}`);
    await pause(5);
  }
  const process = `/proc/${readFileSync(file, "utf8").trim()}`;
  const wrap: Wrap = (command) => ["nsenter", `--mount=${process}/ns/mnt`, "--", ...command];
  return {
    wrap,
    seen: (path) => `${process}/root${path}`,
    run: async (script, ...words) => {
      const [file = "", ...args] = wrap(["sh", "-ec", script, "sh", ...words]);
      await execa(file, args);
    },
  };
}

/** The same machine, whose calls are made there; a call's own `wrap` goes around that. */
export function moveInto({ wrap, seen }: MountSpace, worker: Worker): Worker {
  const call: Worker["call"] = (verb, difference = {}) => {
    const { wrap: inner = (command: string[]) => command } = difference;
    return worker.call(verb, { ...difference, wrap: (command) => wrap(inner(command)) });
  };
  return {
    ...worker,
    call,
    add: async (difference) => addressesIn(await call("ADD", difference)),
    pass: async (verb, difference) => expectSilence(await call(verb, difference)),
    fail: async (verb, difference) => readFailure(await call(verb, difference)),
    leases: (network = "net1") => listLeases(seen(join(worker.dataDir, network))),
    records: (network = "net1") => listRecords(seen(worker.state(network))),
    state: (network) => seen(worker.state(network)),
  };
}
