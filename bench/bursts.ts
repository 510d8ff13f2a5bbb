import type { Arena } from "./arena.ts";
import { names } from "./contenders.ts";
import type { BurstRow } from "./results.ts";
import { runJob } from "./run-job.ts";
import { median, pairedRatio } from "./statistics.ts";

const size = { calls: 200, atOnce: 32 };
const turns = 5;
const together = 100;

/** Bursts of ADDs in turn; and how many requests it takes for ADDs that all start together. */
export async function measureBursts({ world, mounts, contenders }: Arena): Promise<BurstRow[]> {
  const running = contenders.filter(({ name }) => name !== names.empty);
  const rates = new Map<string, number[]>(running.map(({ name }) => [name, []]));
  for (let turn = 0; turn < turns; turn++) {
    for (const contender of running) {
      const { ms } = await runJob({ kind: "burst", tag: `burst-${turn}`, contender, ...size }, mounts);
      rates.get(contender.name)?.push((size.calls * 1000) / ms);
    }
  }
  const bare = rates.get(names.hostLocal) ?? [];
  const rows: BurstRow[] = [];
  for (const contender of running) {
    const own = rates.get(contender.name) ?? [];
    const before = await world.requests();
    await runJob({ kind: "burst", tag: "together", contender, calls: together, atOnce: together }, mounts);
    const requests = (await world.requests()) - before;
    rows.push({ contender: contender.name, rate: median(own), ratio: pairedRatio(own, bare), requests });
  }
  return rows;
}
