import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { type Daemon, startDaemon } from "../../parts/daemon.ts";
import { executables } from "../../parts/plugin.ts";

/** A machine's folders as an agent has them mounted. `root` is its --host-root. */
export type Host = { root: string; run: string; bin: string; conf: string; path(name: string): string };

export type Agent = Daemon;

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
  const agent = startDaemon("agent", wrap([...command, "run", ...flags, "--log-level=debug", ...args]), env);
  onTestFinished(() => agent.kill("SIGKILL"));
  return agent;
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
