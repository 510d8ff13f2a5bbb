// As a module, workElsewhere; as a program, what that runs: one piece of work that writes its begin and its end to a log.
import { appendFileSync, existsSync, writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { oneAtATime } from "../../src/host/one-at-a-time.ts";

/** `work` in milliseconds; with `share`, the others are content with what one has done. */
type Work = { folder: string; log: string; share: boolean; work: number };

/** Does the work in a process of its own, one at a time. Gives its exit code, undefined where it was killed. */
export async function workElsewhere(work: Work): Promise<number | undefined> {
  const options = { reject: false, timeout: 20_000 };
  const { exitCode } = await execa(
    process.execPath,
    [fileURLToPath(import.meta.url), JSON.stringify(work)],
    options,
  );
  return exitCode;
}

async function main({ folder, log, share, work }: Work): Promise<void> {
  const done = `${folder}/done`;
  await oneAtATime(
    `${folder}/locks`,
    "lock",
    15_000,
    () => (share && existsSync(done) ? true : undefined),
    async () => {
      appendFileSync(log, `begin ${process.pid}\n`);
      await pause(work);
      appendFileSync(log, `end ${process.pid}\n`);
      writeFileSync(done, "");
      return true;
    },
  );
}

if (import.meta.main) await main(JSON.parse(process.argv[2] as string) as Work);
