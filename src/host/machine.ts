import { isErrno, readText } from "./files.ts";

/** The machine's ids: each line of /etc/machine-id that isn't blank (as the original reads it); none where there is no such file. */
export function machineIDs(path = "/etc/machine-id"): string[] {
  const lines = readText(path)?.split("\n") ?? [];
  return lines.map((line) => line.trim()).filter((line) => line !== "");
}

let boot = "";

/** A new one at every boot of the kernel: no process sees two, so it is read once. */
export function bootID(): string {
  boot ||= readText("/proc/sys/kernel/random/boot_id")?.trim() ?? "";
  return boot;
}

/** Seconds since boot, in steps of 10 ms: one clock for all processes, which nobody can set back. */
export function uptime(): number {
  return Number.parseFloat(readText("/proc/uptime") ?? "0");
}

export function hostName(): string {
  return readText("/proc/sys/kernel/hostname")?.trim() ?? "";
}

/** No process has this number, here where we stand. */
export function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return isErrno(error, "ESRCH");
  }
}
