import { readText } from "./files.ts";
import { namespaceID } from "./network-namespace.ts";

/** One process of the machine and of no other time: numbers are used again, starting times aren't. */
export type ProcessID = { pid: number; started: string; namespace: string };

export function thisProcess(): ProcessID {
  return { pid: process.pid, started: startOf("self") ?? "", namespace: processNamespace() };
}

/** This process, or the one that started it. */
export function isThisOrParent({ pid, namespace }: ProcessID): boolean {
  return [process.pid, process.ppid].includes(pid) && namespace === processNamespace();
}

/** True where it is certain: a process of another process namespace can't be seen from here. */
export function hasEnded({ pid, started, namespace }: ProcessID): boolean {
  return namespace === processNamespace() && startOf(String(pid)) !== started;
}

function processNamespace(): string {
  return namespaceID("/proc/self/ns/pid") ?? "";
}

/** Field 22 of /proc/PID/stat, in ticks since boot; the second one, the program's name, may hold blanks and brackets. */
function startOf(pid: string): string | undefined {
  const text = readProcess(pid, "stat");
  return text?.slice(text.lastIndexOf(")") + 2).split(" ")[19];
}

/** Whether a process of this number is there that was started with all of these variables (`NAME=value`). */
export function isRunningWith(pid: number, variables: string[]): boolean {
  const environment = readProcess(String(pid), "environ")?.split("\0") ?? [];
  return environment.length > 1 && variables.every((variable) => environment.includes(variable));
}

function readProcess(pid: string, file: string): string | undefined {
  try {
    return readText(`/proc/${pid}/${file}`);
  } catch {
    return undefined; // It ended meanwhile, or isn't ours to look at.
  }
}
