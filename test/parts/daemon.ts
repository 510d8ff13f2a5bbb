import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

/** A line of a program's log. */
export type Line = { level: number; msg: string; reason?: string; port?: number; [key: string]: unknown };

/** A program that goes on running, with a log of JSON lines and an address for its health. */
export type Daemon = {
  pid: number;
  lines(): Line[];
  /** Once a line holds the words (in its message or its reason). */
  said(words: string, withinMs?: number): Promise<Line>;
  kill(signal: NodeJS.Signals): void;
  /** SIGTERM, and the exit code. */
  stop(): Promise<number | null>;
  exited: Promise<number | null>;
  get(path: string): Promise<{ status: number; text: string }>;
};

/** Whoever starts it ends it. */
export function startDaemon(
  name: string,
  [file, ...words]: string[],
  env: Record<string, string | undefined> = {},
): Daemon {
  const child: ChildProcess = spawn(file as string, words, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"] ?? "", ...env },
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (data) => {
      text += String(data);
    });
  }
  const exited = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));
  const lines = () => text.split("\n").slice(0, -1).map(parse);
  async function said(wanted: string, withinMs = 20_000): Promise<Line> {
    for (const end = Date.now() + withinMs; Date.now() < end; await sleep(5)) {
      const found = lines().find((line) => `${line.msg} ${line.reason ?? ""}`.includes(wanted));
      if (found) return found;
    }
    throw new Error(`the ${name} never said "${wanted}"; it said:\n${text.slice(-8000)}`);
  }
  return {
    pid: child.pid as number,
    lines,
    said,
    kill: (signal) => void child.kill(signal),
    stop: () => {
      child.kill("SIGTERM");
      return exited;
    },
    exited,
    get: async (path) => {
      const { port } = await said("serving health");
      const answer = await fetch(`http://127.0.0.1:${port}${path}`);
      return { status: answer.status, text: await answer.text() };
    },
  };
}

function parse(text: string): Line {
  try {
    return JSON.parse(text) as Line;
  } catch {
    return { level: 0, msg: text };
  }
}
