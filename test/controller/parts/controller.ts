import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { executables } from "../../parts/plugin.ts";

/** A line of the controller's log. */
export type Line = { level: number; msg: string; reason?: string; port?: number; [key: string]: unknown };

export type Controller = {
  pid: number;
  lines(): Line[];
  /** Once a line holds the words (in its message or its reason). */
  said(words: string, withinMs?: number): Promise<Line>;
  kill(signal: NodeJS.Signals): void;
  /** SIGTERM, and the exit code. */
  stop(): Promise<number | null>;
  exited: Promise<number | null>;
  get(path: string): Promise<{ status: number; text: string }>;
  /** The sum of a metric's values whose labels hold these words. */
  metric(name: string, labels?: string): Promise<number>;
};

type Start = { kubeconfig: string; args?: string[]; executable?: number; env?: Record<string, string> };

/** `kube-node-controller`; whoever starts it stops it. */
export function startController({ kubeconfig, args = [], executable = 0, env = {} }: Start): Controller {
  const command = executables()[executable]?.command("kube-node-controller") ?? [];
  const flags = [
    `--kubeconfig=${kubeconfig}`,
    "--metrics-address=127.0.0.1:0",
    "--leader-elect=false",
    "--status-interval=100ms",
    "--log-level=debug",
  ];
  const [file, ...words] = [...command, ...flags, ...args];
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
  process.once("exit", () => void child.kill("SIGKILL"));
  const lines = () => text.split("\n").slice(0, -1).map(parse);
  async function said(words: string, withinMs = 20_000): Promise<Line> {
    for (const end = Date.now() + withinMs; Date.now() < end; await sleep(5)) {
      const found = lines().find((line) => `${line.msg} ${line.reason ?? ""}`.includes(words));
      if (found) return found;
    }
    throw new Error(`the controller never said "${words}"; it said:\n${text.slice(-8000)}`);
  }
  async function get(path: string) {
    const { port } = await said("serving health");
    const answer = await fetch(`http://127.0.0.1:${port}${path}`);
    return { status: answer.status, text: await answer.text() };
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
    get,
    metric: async (name, labels = "") => sumOf((await get("/metrics")).text, name, labels),
  };
}

function parse(text: string): Line {
  try {
    return JSON.parse(text) as Line;
  } catch {
    return { level: 0, msg: text };
  }
}

function sumOf(text: string, name: string, labels: string): number {
  return text
    .split("\n")
    .filter((line) => line.startsWith(`${name} `) || (line.startsWith(`${name}{`) && line.includes(labels)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}
