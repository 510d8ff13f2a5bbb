import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { execa } from "execa";

export const runtimes = ["node", "bun"] as const;
export type Runtime = (typeof runtimes)[number];

/** What a function gave in a process of its own, or the error that it threw. */
export type Outcome<T = unknown> = {
  value?: T;
  error?: { code?: string | number; message: string; details?: string; name: string };
  stderr: string;
  milliseconds: number;
};

/** `before` goes before the command (`["unshare", "--mount"]`); at the time-out, in milliseconds, it is killed. */
export type How = { env?: Record<string, string>; before?: string[]; timeout?: number };

const program = fileURLToPath(new URL("call.ts", import.meta.url));

/** Runs an exported function of src in a process of its own: what hangs, ends with that. */
export async function callElsewhere<T = unknown>(
  runtime: Runtime,
  [module, name]: [module: string, name: string],
  args: unknown[],
  { env = {}, before = [], timeout = 20_000 }: How = {},
): Promise<Outcome<T>> {
  const binary = fileURLToPath(new URL(`../../node_modules/.bin/${runtime}`, import.meta.url));
  const words = args.map((arg) => JSON.stringify(arg ?? null));
  const [file = "", ...rest] = [...before, binary, program, module, name, ...words];
  const start = performance.now();
  const { stdout, stderr, exitCode } = await execa(file, rest, {
    env,
    reject: false,
    stripFinalNewline: false,
    timeout,
    killSignal: "SIGKILL",
  });
  const milliseconds = performance.now() - start;
  if (exitCode !== 0) {
    const message = `${module} ${name} was ended by ${exitCode ?? "SIGKILL"} after ${milliseconds} ms: ${stderr}`;
    return { error: { message, name: "Ended" }, stderr, milliseconds };
  }
  return { ...(JSON.parse(stdout) as Outcome<T>), stderr, milliseconds };
}

/** The same call in `count` processes that all begin at one moment. `folder` is theirs to meet in. */
export async function race<T = unknown>(
  count: number,
  folder: string,
  call: (index: number) => [runtime: Runtime, target: [string, string], args: unknown[]],
): Promise<Outcome<T>[]> {
  const meeting = join(folder, "race");
  mkdirSync(meeting);
  const go = join(meeting, "go");
  const running = Array.from({ length: count }, (_, index) => {
    const [runtime, target, args] = call(index);
    const env = { READY: join(meeting, `ready-${index}`), GO: go };
    return callElsewhere<T>(runtime, target, args, { env, timeout: 60_000 });
  });
  while (existsSync(meeting) && readdirSync(meeting).length < count) await pause(20);
  writeFileSync(go, "");
  return Promise.all(running);
}
