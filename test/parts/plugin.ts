import { existsSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { execa } from "execa";
import { checkout } from "./tools.ts";

/** A call by the CNI protocol. What is left out isn't set in the plugin's environment; `env` has the last word. */
export type PluginCall = {
  command: string[];
  verb?: string;
  containerID?: string;
  ifname?: string;
  netns?: string;
  args?: string;
  path?: string;
  env?: Record<string, string>;
  /** Text or bytes as they are, anything else as JSON. */
  stdin?: unknown;
  cwd?: string;
  timeoutMs?: number;
};

export type PluginAnswer = {
  exitCode: number | undefined;
  signal: string | undefined;
  timedOut: boolean;
  stdout: string;
  stderr: string;
  /** stdout, where that is JSON. */
  json: unknown;
  milliseconds: number;
};

/** Runs a CNI plugin (or any program) with a bare environment. Out of time, it is killed with all that it started. */
export async function callPlugin(call: PluginCall): Promise<PluginAnswer> {
  const [file, ...args] = call.command;
  const started = performance.now();
  const child = execa(file as string, args, {
    cwd: call.cwd ?? checkout,
    env: environmentOf(call),
    extendEnv: false,
    input: inputOf(call.stdin),
    detached: true,
    reject: false,
    stripFinalNewline: false,
  });
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  }, call.timeoutMs ?? 20_000);
  const result = await child;
  clearTimeout(timer);
  if (child.pid === undefined)
    throw new Error(`${call.command.join(" ")} did not start`, { cause: result.cause });
  return {
    exitCode: result.exitCode,
    signal: result.signal,
    timedOut,
    stdout: result.stdout,
    stderr: result.stderr,
    json: parse(result.stdout),
    milliseconds: performance.now() - started,
  };
}

type Program =
  | "kube-node"
  | "node-annotation"
  | "kubectl-kube_node"
  | "kube-node-agent"
  | "kube-node-controller";

/** A way to run the project's programs. `command("kube-node")` is what to execute, arguments follow. */
export type Executable = { label: string; command(program: Program): string[] };

/** The compiled executable and the sources under Node: suites run on both. Throws where nothing was compiled. */
export function executables(): Executable[] {
  const output = process.env["KUBE_NODE_OUTPUT"] ?? join(checkout, "_output");
  if (!existsSync(join(output, "kube-node")))
    throw new Error("_output/kube-node is missing: run ./build.sh binaries");
  return [
    { label: "compiled", command: (program) => [join(output, program)] },
    {
      label: "sources on Node",
      command: (program) => [process.execPath, join(checkout, "bin", `${program}.ts`)],
    },
  ];
}

function environmentOf(call: PluginCall): Record<string, string> {
  const cni = {
    CNI_COMMAND: call.verb,
    CNI_CONTAINERID: call.containerID,
    CNI_IFNAME: call.ifname,
    CNI_NETNS: call.netns,
    CNI_ARGS: call.args,
    CNI_PATH: call.path,
  };
  const set = Object.entries(cni).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return {
    PATH: process.env["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin",
    ...Object.fromEntries(set),
    ...call.env,
  };
}

function inputOf(stdin: unknown): string | Uint8Array {
  if (stdin === undefined) return "";
  return typeof stdin === "string" || stdin instanceof Uint8Array ? stdin : JSON.stringify(stdin);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
