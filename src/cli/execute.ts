import { run } from "../host/exec.ts";

/** Runs iproute2's `ip`; `says` is all that it printed, errors included. */
export function ip(...args: string[]): Promise<{ ok: boolean; says: string }> {
  return execute("ip", ...args);
}

/** Runs a program of PATH, or of the folders of an administrator's. */
export async function execute(program: string, ...args: string[]): Promise<{ ok: boolean; says: string }> {
  const deadline = Date.now() + 10_000;
  const { stdout, exitCode } = await run({
    path: "/bin/sh",
    args: ["-c", 'exec "$@" 2>&1', "sh", program, ...args],
    env: { PATH: `${process.env["PATH"] ?? "/usr/bin:/bin"}:/usr/sbin:/sbin` },
    stdin: "",
    time: { deadline, end: deadline + 1000 },
  });
  return { ok: exitCode === 0, says: stdout.trim() };
}
