import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import type { Worker } from "../../real/parts/worker.ts";

/** Looks every few milliseconds. Throws where it doesn't come true within 20 seconds. */
export async function until(what: string, isSo: () => boolean): Promise<void> {
  for (const end = Date.now() + 20_000; !isSo(); await pause(5)) {
    if (Date.now() > end) throw new Error(`in vain waited until ${what}`);
  }
}

/** Until nothing runs any more that a call on this machine started, however its caller ended. */
export async function untilIdle({ bin }: Worker): Promise<void> {
  await until("all that was started has ended", () => !readdirSync("/proc").some((pid) => isOf(pid, bin)));
}

function isOf(pid: string, bin: string): boolean {
  if (!/^\d+$/.test(pid)) return false;
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").includes(`CNI_PATH=${bin}:`);
  } catch {
    return false;
  }
}

export function readIfThere(path: string): string {
  return readFileSync(path, { encoding: "utf8", flag: "a+" });
}
