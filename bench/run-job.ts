import { join } from "node:path";
import { execa } from "execa";
import { withMounts } from "../test/real/parts/private-mounts.ts";
import type { Job, ResultOf } from "./plan.ts";
import { stopped } from "./stop.ts";

/** Runs a job under Bun, by itself. `mounts` are folders that only it and what it starts see, at absolute paths. */
export async function runJob<J extends Job>(
  job: J,
  mounts: Record<string, string> = {},
): Promise<ResultOf<J>> {
  const runner = ["bun", join(import.meta.dirname, "runner.ts")];
  const command = Object.keys(mounts).length > 0 ? withMounts(mounts, runner) : runner;
  const [file, ...args] = command;
  stopped.throwIfAborted();
  const options = { input: JSON.stringify(job), reject: false, cancelSignal: stopped };
  const result = await execa(file as string, args, options);
  stopped.throwIfAborted();
  if (result.failed) throw new Error(result.stderr || result.message);
  return JSON.parse(result.stdout) as ResultOf<J>;
}
