import { statSync } from "node:fs";
import { join } from "node:path";
import { arrangeSources } from "../scripts/arrange-sources.ts";
import { checkout } from "../test/parts/tools.ts";
import type { Arena } from "./arena.ts";
import { timesOf } from "./calls.ts";
import { oursKept } from "./contenders.ts";
import { compile, releaseFlags } from "./executables.ts";
import { measurePeak } from "./memory.ts";
import type { Contender, Verb } from "./plan.ts";
import type { VariantRow } from "./results.ts";
import { runJob } from "./run-job.ts";
import { median } from "./statistics.ts";

type Variant = { name: string; flags?(flags: string[]): string[]; entry?: false; isAsItStands?: true };

const without = (flag: string) => (flags: string[]) => flags.filter((one) => one !== flag);
const plus = (flag: string) => (flags: string[]) => [flag, ...flags];

const released: Variant = { name: "as released" };

/** Other ways to build and to start the executable. */
const variants: Variant[] = [
  released,
  { name: "without --bytecode", flags: without("--bytecode") },
  { name: "without --minify", flags: without("--minify") },
  { name: "hot path in many chunks", isAsItStands: true },
  { name: "without --splitting", flags: without("--splitting") },
  { name: "--bytecode-depth=0", flags: plus("--bytecode-depth=0") },
  { name: "--no-optimize-bytecode", flags: plus("--no-optimize-bytecode") },
  { name: "--compile-jit-policy=100", flags: plus("--compile-jit-policy=100") },
  { name: "--compile-exec-argv=--smol", flags: plus("--compile-exec-argv=--smol") },
  { name: "with the just-in-time compiler", entry: false },
];

const verbs: Verb[] = ["ADD", "DEL"];

/** The executable built in other ways, call by call in turn with the one as released; ranges are kept. */
export async function measureVariants({ world, hostLocal }: Arena, rounds: number): Promise<VariantRow[]> {
  const folder = world.makeFolder("variants");
  const arranged = join(folder, "sources");
  arrangeSources(arranged);
  const built: { variant: Variant; path: string; contender: Contender }[] = [];
  for (const [index, variant] of variants.entries()) {
    const flags = variant.flags?.(releaseFlags()) ?? releaseFlags();
    const { entry = true, isAsItStands = false } = variant;
    const cwd = isAsItStands ? checkout : arranged;
    const path = await compile("bin/executable.ts", join(folder, `kube-node-${index}`), {
      flags,
      entry,
      cwd,
    });
    built.push({ variant, path, contender: oursKept(world, hostLocal, path, variant.name) });
  }
  const contenders = built.map(({ contender }) => contender);
  const samples = await runJob({ kind: "turns", tag: "variant", contenders, verbs, rounds, warmup: 5 });
  const saved = (name: string, verb: Verb, what: "ms" | "cpuMs") => {
    const usual = timesOf(samples, released.name, verb, what);
    return median(timesOf(samples, name, verb, what).map((ms, index) => (usual[index] as number) - ms));
  };
  const rows: VariantRow[] = [];
  for (const { variant, path, contender } of built) {
    const { name } = variant;
    rows.push({
      name,
      bytes: statSync(path).size,
      ADD: median(timesOf(samples, name, "ADD")),
      DEL: median(timesOf(samples, name, "DEL")),
      peak: await measurePeak(contender),
      saves: {
        ADD: saved(name, "ADD", "ms"),
        DEL: saved(name, "DEL", "ms"),
        cpu: saved(name, "ADD", "cpuMs"),
      },
    });
  }
  return rows;
}
