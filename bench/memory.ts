import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Arena } from "./arena.ts";
import { names, oursKept } from "./contenders.ts";
import type { Contender, Gate } from "./plan.ts";
import type { MemoryRow } from "./results.ts";
import { runJob } from "./run-job.ts";
import { median } from "./statistics.ts";

/** How many calls are held up at the same time: pages of the runtime that they share aren't private then. */
const heldAtOnce = 4;

const toMiB = (kib: number): number => kib / 1024;

/** What is resident at most while a call lasts; and of ours and of the runtime alone, how much of it is private. */
export async function measureMemory(arena: Arena): Promise<MemoryRow[]> {
  const rows: MemoryRow[] = [];
  for (const contender of arena.contenders) {
    const peak = await measurePeak(contender, arena.mounts);
    const held = await hold(arena, contender);
    // The kernel counts the highest mark in passing, and a call that is held up exactly.
    rows.push({
      contender: contender.name,
      peak: Math.max(peak, held?.resident ?? 0),
      ...(held && { held }),
    });
  }
  return rows;
}

/** MiB. */
export async function measurePeak(
  contender: Contender,
  mounts: Record<string, string> = {},
): Promise<number> {
  const { peaks } = await runJob({ kind: "memory", tag: "memory", contender, calls: 7 }, mounts);
  return toMiB(median(peaks));
}

async function hold(arena: Arena, contender: Contender): Promise<MemoryRow["held"] | undefined> {
  const way = wayToHold(arena, contender);
  if (way === undefined) return undefined;
  const found = await runJob({ kind: "held", tag: "held", calls: heldAtOnce, ...way });
  return { resident: toMiB(median(found.resident)), private: toMiB(median(found.private)) };
}

function wayToHold(arena: Arena, contender: Contender): { contender: Contender; gate: Gate } | undefined {
  if (contender.name === names.empty) return { contender, gate: "stdin" };
  return contender.name === names.kept ? holdInDelegate(arena) : undefined;
}

/** A delegate of host-local's name that says that it was started, waits until a file is gone, and then is host-local. */
function holdInDelegate({ world, hostLocal, kubeNode }: Arena): { contender: Contender; gate: Gate } {
  const folder = world.makeFolder("hold");
  const file = join(folder, "gate");
  const script = `#!/bin/sh
: >"${file}.$CNI_CONTAINERID"
while [ -e "${file}" ]; do sleep 0.02; done
exec "${hostLocal.path}"
`;
  writeFileSync(join(folder, "host-local"), script, { mode: 0o755 });
  const contender = oursKept(world, hostLocal, kubeNode);
  return { contender: { ...contender, env: { ...contender.env, CNI_PATH: folder } }, gate: { file } };
}
