import { cpus, loadavg, release, totalmem } from "node:os";
import type { Results } from "./results.ts";

export function describeMachine(): Results["machine"] {
  const processors = cpus();
  return {
    processor: processors[0]?.model.trim() || process.arch,
    processors: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
  };
}

/** Processes that wanted a processor, on average over the last minute. */
export const load = (): number => loadavg()[0] ?? 0;
