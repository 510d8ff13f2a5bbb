import { run } from "../host/exec.ts";

/** Runs iproute2's `ip`; `says` is all that it printed, errors included. */
export async function ip(...args: string[]): Promise<{ ok: boolean; says: string }> {
  const deadline = Date.now() + 10_000;
  const { stdout, exitCode } = await run({
    path: "/bin/sh",
    args: ["-c", 'exec ip "$@" 2>&1', "sh", ...args],
    // Administrators' programs are in sbin, which an ordinary PATH leaves out.
    env: { PATH: `${process.env["PATH"] ?? "/usr/bin:/bin"}:/usr/sbin:/sbin` },
    stdin: "",
    time: { deadline, end: deadline + 1000 },
  });
  return { ok: exitCode === 0, says: stdout.trim() };
}
