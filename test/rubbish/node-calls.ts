// Calls of the built executable with rubbish in one place, and what must hold of their answers.
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";

export type RubbishCall = {
  command: string[];
  verb: string;
  env: Record<string, string>;
  stdin: string | Uint8Array;
};

export type RubbishAnswer = {
  exitCode: number | null;
  signal: string | null;
  stdout: string;
  stderr: string;
  /** Bytes that were resident at most, as far as it was seen. */
  peak: number;
  milliseconds: number;
};

/** One call, looked at every millisecond for how much memory it takes. */
export function runRubbish({ command, verb, env, stdin }: RubbishCall): Promise<RubbishAnswer> {
  const [file = "", ...args] = command;
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { env: { PATH: process.env["PATH"], CNI_COMMAND: verb, ...env } });
    const chunks = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
    let peak = 0;
    const timer = setInterval(() => {
      peak = Math.max(peak, peakOf(child.pid));
    }, 1);
    const limit = setTimeout(() => child.kill("SIGKILL"), 60_000);
    for (const stream of ["stdout", "stderr"] as const)
      child[stream].on("data", (chunk: Buffer) => chunks[stream].push(chunk));
    child.stdin.on("error", () => {}).end(stdin);
    child.once("error", reject).once("close", (exitCode, signal) => {
      clearInterval(timer);
      clearTimeout(limit);
      const [stdout, stderr] = [chunks.stdout, chunks.stderr].map((all) =>
        Buffer.concat(all).toString("utf8"),
      ) as [string, string];
      resolve({ exitCode, signal, stdout, stderr, peak, milliseconds: performance.now() - started });
    });
  });
}

function peakOf(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0; // It is over.
  }
}

/** CNI JSON or nothing on stdout, an exit code, no crash, no stack trace; what failed says so in words. */
export function expectManners(call: { verb: string }, answer: RubbishAnswer): void {
  const { exitCode, signal, stdout, stderr } = answer;
  const shown = JSON.stringify({
    exitCode,
    signal,
    stdout: stdout.slice(0, 2000),
    stderr: stderr.slice(0, 2000),
  });
  expect(signal, shown).toBe(null);
  expect(exitCode, shown).toBeLessThan(2);
  for (const text of [stdout, stderr])
    expect(text, shown).not.toMatch(/\n\s+at |node:internal|\$bunfs|Bun v\d|please report/);
  expect(stdout.length, shown).toBeLessThan(100_000);
  if (exitCode === 0) {
    expectAnswer(call.verb, stdout, shown);
    return;
  }
  const document = JSON.parse(stdout) as Record<string, unknown>;
  expect(document, shown).toMatchObject({
    cniVersion: expect.stringMatching(/./),
    code: expect.any(Number),
    msg: expect.stringMatching(/./),
  });
  expect(
    Object.keys(document).filter((key) => !["cniVersion", "code", "msg", "details"].includes(key)),
    shown,
  ).toEqual([]);
}

function expectAnswer(verb: string, stdout: string, shown: string): void {
  if (verb === "ADD") expect(JSON.parse(stdout), shown).toHaveProperty("cniVersion");
  else if (verb === "VERSION") expect(JSON.parse(stdout), shown).toHaveProperty("supportedVersions");
  else expect(stdout, shown).toBe("");
}

/** A file of a test's, with all folders above it. */
export function putFile(path: string, content: string | Uint8Array, mode = 0o600): string {
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, content, { mode });
  return path;
}
