import { type ChildProcess, spawn } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { executables } from "../../parts/plugin.ts";

/** A line of the agent's log. */
export type Line = { level: number; msg: string; reason?: string; port?: number; [key: string]: unknown };

/** A machine's folders as an agent has them mounted. `root` is its --host-root. */
export type Host = { root: string; run: string; bin: string; conf: string; path(name: string): string };

export type Agent = {
  pid: number;
  lines(): Line[];
  /** Once a line holds the words (in its message or its reason). */
  said(words: string): Promise<Line>;
  kill(signal: NodeJS.Signals): void;
  /** SIGTERM, and the exit code. */
  stop(): Promise<number | null>;
  exited: Promise<number | null>;
  get(path: string): Promise<{ status: number; text: string }>;
};

/** With this machine's own machine-id unless told another one. Gone after the test. */
export function makeHost({ machineID }: { machineID?: string } = {}): Host {
  const root = mkdtempSync(join(tmpdir(), "kna-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  for (const folder of ["etc/cni/net.d", "opt/cni/bin", "run"])
    mkdirSync(join(root, folder), { recursive: true });
  if (machineID === undefined) copyFileSync("/etc/machine-id", join(root, "etc/machine-id"));
  else writeFileSync(join(root, "etc/machine-id"), `${machineID}\n`);
  const path = (name: string) => join(root, name);
  return { root, run: path("run/kube-node"), bin: path("opt/cni/bin"), conf: path("etc/cni/net.d"), path };
}

type Start = {
  host: Host;
  node: string;
  kubeconfig: string;
  args?: string[];
  env?: Record<string, string>;
  wrap?: (command: string[]) => string[];
  /** Index in executables(): the compiled one, or the sources under Node. */
  executable?: number;
};

/** `kube-node-agent run`; killed after the test at the latest. */
export function startAgent({
  host,
  node,
  kubeconfig,
  args = [],
  env,
  wrap = (same) => same,
  executable = 0,
}: Start): Agent {
  const command = executables()[executable]?.command("kube-node-agent") ?? [];
  const flags = [
    `--node-name=${node}`,
    `--kubeconfig=${kubeconfig}`,
    `--host-root=${host.root}`,
    "--metrics-address=127.0.0.1:0",
  ];
  const [file, ...words] = wrap([...command, "run", ...flags, "--log-level=debug", ...args]);
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
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines = () => text.split("\n").slice(0, -1).map(parse);
  const said = (words: string) =>
    until(
      () => lines().find((line) => `${line.msg} ${line.reason ?? ""}`.includes(words)),
      () => `the agent says "${words}"; it said:\n${text}`,
    );
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

/** Looks every few milliseconds until there is something. */
export async function until<T>(
  look: () => T | undefined | false,
  what: string | (() => string),
  withinMs = 20_000,
): Promise<T> {
  for (const end = Date.now() + withinMs; Date.now() < end; await sleep(2)) {
    const found = look();
    if (found !== undefined && found !== false) return found;
  }
  throw new Error(`waited in vain until ${typeof what === "string" ? what : what()}`);
}

type Told = { name: string; uid: string; annotations: Record<string, string>; podCIDRs: string[] };

/** The Node that the plugin would read there; undefined where there is no such file. */
export function toldNode({ run }: Host): Told | undefined {
  const text = readIfThere(join(run, "node.json"));
  return text === undefined ? undefined : (JSON.parse(text) as { node: Told }).node;
}

export function signOfLife({ run }: Host): { bootID: string; heardAt: number } | undefined {
  const text = readIfThere(join(run, "alive"));
  return text === undefined ? undefined : (JSON.parse(text) as { bootID: string; heardAt: number });
}

export function uptime(): number {
  return Number.parseFloat(readFileSync("/proc/uptime", "utf8"));
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
