import { readdirSync, realpathSync, statSync } from "node:fs";
import { isErrno, readText } from "./files.ts";

/**
 * Which network namespace a path leads to, as `device:inode` of the kernel's nsfs; "gone" where there is no such path.
 * Undefined where it can't be told (not permitted, say).
 */
export function namespaceID(path: string): string | "gone" | undefined {
  try {
    const { dev, ino } = statSync(path);
    return `${dev}:${ino}`;
  } catch (error) {
    return isErrno(error, "ENOENT", "ENOTDIR", "ESRCH") ? "gone" : undefined;
  }
}

/** /var/run is a link to /run, which mountinfo doesn't have, nor an image that is no whole system: runtimes name namespaces by it. */
export function withoutLink(path: string): string {
  return path.replace(/^\/var\/run(?=\/|$)/, "/run");
}

/** From where this process sees namespaces: its mount and its process namespace. What was seen from one place may be out of sight from another. */
export function viewpoint(): string {
  return `${namespaceID("/proc/self/ns/mnt")} ${namespaceID("/proc/self/ns/pid")}`;
}

/** The kernel's number of the process namespace that holds all others (PROC_PID_INIT_INO). */
const initialProcessNamespace = 0xeffffffc;

/**
 * Every network namespace that a process is in, or that is mounted where we can see it, as `namespaceID` has them. The mount
 * `except` doesn't count: its namespace may be new, and numbers are used again. Undefined where not all processes of the machine can be looked at: what isn't found then may be there all the same.
 */
export function namespacesInUse(except?: string): Set<string> | undefined {
  if (statSync("/proc/self/ns/pid").ino !== initialProcessNamespace) return undefined;
  const inUse = new Set<string>();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const id = namespaceID(`/proc/${pid}/ns/net`);
    // Process 1, the machine's own, may be shut even to root; it is in no pod.
    if (id === undefined && pid !== "1") return undefined;
    if (id !== undefined) inUse.add(id);
  }
  const mounts = (readText("/proc/self/mountinfo", 64 << 20) ?? "").split("\n");
  const left = except === undefined ? undefined : realPathOf(except);
  for (const mount of mounts.filter((line) => line.includes(" - nsfs "))) {
    const path = mount.split(" ")[4] ?? "";
    const id = path === left ? undefined : namespaceID(path);
    if (id !== undefined) inUse.add(id);
  }
  return inUse;
}

function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path; // Gone meanwhile, or a namespace of a process, which no mount has.
  }
}
