import { fileURLToPath } from "node:url";
import { execa } from "execa";
import type { Runtime } from "./other-process.ts";

const program = fileURLToPath(new URL("log-lines.ts", import.meta.url));

/** Writes `count` lines a level in a process of its own; shell words before it and after it (redirections). */
export async function logElsewhere(
  runtime: Runtime,
  file: string | undefined,
  count: number,
  { before = ":", after = "" } = {},
): Promise<{ stdout: string; stderr: string; exitCode: number | undefined }> {
  const binary = fileURLToPath(new URL(`../../node_modules/.bin/${runtime}`, import.meta.url));
  const command = `${before}; exec "$0" "$@" ${after}`;
  const { stdout, stderr, exitCode } = await execa("sh", ["-c", command, binary, program, String(count)], {
    env: file === undefined ? {} : { LOG: file },
    reject: false,
    timeout: 5_000,
    killSignal: "SIGKILL",
  });
  return { stdout, stderr, exitCode };
}
