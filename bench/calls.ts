import { readFileSync } from "node:fs";
import { join } from "node:path";
import { strace } from "../test/parts/tools.ts";
import type { Arena } from "./arena.ts";
import { names } from "./contenders.ts";
import type { Options } from "./options.ts";
import type { Contender, Job, Sample, Verb } from "./plan.ts";
import type { CallRow, WorkRow } from "./results.ts";
import { runJob } from "./run-job.ts";
import { median, pairedRatio, quantile } from "./statistics.ts";

export const verbs: Verb[] = ["ADD", "CHECK", "DEL"];

/** Whole processes, call by call in turn. */
export async function measureCalls(
  { contenders, mounts }: Arena,
  { rounds, warmup }: Options,
): Promise<{ rows: CallRow[]; samples: Sample[] }> {
  const samples = await runJob({ kind: "turns", tag: "turn", contenders, verbs, rounds, warmup }, mounts);
  const rows = verbs.flatMap((verb) => {
    const bare = timesOf(samples, names.hostLocal, verb);
    const takingPart = contenders.filter((contender) => (contender.verbs ?? verbs).includes(verb));
    return takingPart.map(({ name }): CallRow => {
      const own = timesOf(samples, name, verb);
      return {
        verb,
        contender: name,
        p50: median(own),
        p95: quantile(own, 0.95),
        cpu: median(timesOf(samples, name, verb, "cpuMs")),
        ratio: pairedRatio(own, bare),
        added: median(own) - median(bare),
      };
    });
  });
  return { rows, samples };
}

/** In the order of rounds, so that those of two contenders are pairs. */
export function timesOf(
  samples: Sample[],
  contender: string,
  verb: Verb,
  what: "ms" | "cpuMs" = "ms",
): number[] {
  return samples
    .filter((sample) => sample.contender === contender && sample.verb === verb)
    .map((sample) => sample[what]);
}

/** Requests and system calls of one call of each kind. */
export async function countWork({ world, contenders, mounts, notes }: Arena): Promise<WorkRow[]> {
  const tracer = strace();
  if (tracer.path === undefined) notes.push(`system calls: not counted without ${tracer.missing}`);
  const rows: WorkRow[] = [];
  for (const contender of contenders) {
    for (const verb of contender.verbs ?? verbs) {
      const before = await world.requests();
      await runJob(once("count", contender, verb), mounts);
      rows.push({ contender: contender.name, verb, requests: (await world.requests()) - before });
    }
    if (tracer.path === undefined) continue;
    for (const verb of contender.verbs ?? verbs) {
      const log = join(world.folder, "strace.log");
      const command = [tracer.path, "-f", "-c", "-o", log, ...contender.command];
      await runJob(once("trace", { ...contender, command }, verb), mounts);
      const row = rows.find((one) => one.contender === contender.name && one.verb === verb);
      if (row) row.systemCalls = readTotal(readFileSync(log, "utf8"));
    }
  }
  return rows;
}

function once(tag: string, contender: Contender, verb: Verb): Job & { kind: "turns" } {
  return { kind: "turns", tag, contenders: [contender], verbs: [verb], rounds: 1, warmup: 0 };
}

/** The column "calls" of strace's last line: its process, threads and delegate together. */
function readTotal(summary: string): number {
  return Number(/^ *100\.00 +[\d.]+ +\d+ +(\d+)/m.exec(summary)?.[1] ?? Number.NaN);
}
