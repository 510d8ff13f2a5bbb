import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Outcome } from "./program.ts";

export const runtimes = ["node", "bun"] as const;

type Runtime = (typeof runtimes)[number];

/** A process that runs src/kube; calls may run at once. */
export type KubeProcess = { call(name: string, ...args: unknown[]): Promise<Outcome>; stop(): void };

const program = fileURLToPath(new URL("program.ts", import.meta.url));

/** `env` is added to an environment without proxies and kubeconfigs. */
export function startKube(runtime: Runtime, env: Record<string, string> = {}): KubeProcess {
  const binary = fileURLToPath(new URL(`../../node_modules/.bin/${runtime}`, import.meta.url));
  const child = spawn(binary, [program], {
    env: { PATH: process.env["PATH"], ...env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const waiting = new Map<number, (outcome: Outcome) => void>();
  let last = 0;
  createInterface({ input: child.stdout }).on("line", (line) => {
    const { id, ...outcome } = JSON.parse(line) as Outcome & { id: number };
    waiting.get(id)?.(outcome);
    waiting.delete(id);
  });
  failWhenItEnds(child, waiting);
  return {
    call: (name, ...args) =>
      new Promise((resolve) => {
        const id = last++;
        waiting.set(id, resolve);
        child.stdin.write(`${JSON.stringify({ id, name, args })}\n`);
      }),
    stop: () => void child.kill(),
  };
}

function failWhenItEnds(child: ChildProcess, waiting: Map<number, (outcome: Outcome) => void>): void {
  child.on("exit", (status) => {
    const error = { message: `the program ended with ${status} in the middle of a call` };
    for (const resolve of waiting.values()) resolve({ error, milliseconds: 0 });
  });
}
