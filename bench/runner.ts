// Times programs, run by Bun: a job as JSON on standard input, what was measured as JSON on standard output. It is a process
// of its own, so that the embedded API server never waits for a measurement, nor a measurement for it.
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import type { BurstResult, Contender, HeldResult, Job, MemoryResult, Sample, Verb } from "./plan.ts";

type Ended = {
  exitCode: number | null;
  stdout: Uint8Array;
  stderr: Uint8Array;
  resourceUsage?: { cpuTime: { total: number | bigint } };
};
type Child = {
  pid: number;
  stdin: { write(text: string): unknown; end(): unknown };
  stdout: ReadableStream<Uint8Array>;
  exited: Promise<number>;
};
type BunGlobal = {
  spawnSync(command: string[], options: object): Ended;
  spawn(command: string[], options: object): Child;
};
const bun = (globalThis as unknown as { Bun: BunGlobal }).Bun;

try {
  const job = JSON.parse(readFileSync(0, "utf8")) as Job;
  writeFileSync(1, JSON.stringify(await run(job)));
} catch (error) {
  writeFileSync(2, (error as Error).message);
  process.exitCode = 1;
}

async function run(job: Job): Promise<Sample[] | BurstResult | MemoryResult | HeldResult> {
  switch (job.kind) {
    case "turns":
      return takeTurns(job);
    case "burst":
      return await burst(job);
    case "memory":
      return await watchMemory(job);
    case "held":
      return await hold(job);
  }
}

/** Call by call: a round is a life of a container with each contender; who begins changes from round to round. */
function takeTurns({ contenders, verbs, rounds, warmup, tag }: Job & { kind: "turns" }): Sample[] {
  const samples: Sample[] = [];
  for (let round = -warmup; round < rounds; round++) {
    for (const verb of verbs) {
      for (const contender of rotate(contenders, round + warmup)) {
        if (contender.verbs && !contender.verbs.includes(verb)) continue;
        const sample = call(contender, verb, `${tag}-${round + warmup}`, round);
        if (round >= 0) samples.push(sample);
      }
    }
  }
  return samples;
}

function rotate<T>(list: T[], by: number): T[] {
  const first = by % list.length;
  return [...list.slice(first), ...list.slice(0, first)];
}

function call(contender: Contender, verb: Verb, container: string, round: number): Sample {
  prepare(contender);
  const options = {
    env: environment(contender, verb, container),
    stdin: Buffer.from(contender.stdin),
    stdout: "pipe",
    stderr: "pipe",
  };
  const started = performance.timeOrigin + performance.now();
  const ended = bun.spawnSync(contender.command, options);
  const ms = performance.timeOrigin + performance.now() - started;
  const cpuMs = Number(ended.resourceUsage?.cpuTime.total ?? 0) / 1000;
  tidyUp(contender);
  if (ended.exitCode !== 0) fail(contender, verb, Buffer.concat([ended.stdout, ended.stderr]).toString());
  return { contender: contender.name, verb, round, ms, cpuMs, started };
}

function environment({ env }: Contender, verb: Verb, container: string): Record<string, string> {
  return { ...env, CNI_COMMAND: verb, CNI_CONTAINERID: container };
}

function prepare({ files = {}, forgets = [] }: Contender): void {
  for (const path of forgets) rmSync(path, { force: true });
  const uptime = readFileSync("/proc/uptime", "utf8").split(" ")[0] ?? "0";
  for (const [path, text] of Object.entries(files)) writeFileSync(path, text.replace("$UPTIME", uptime));
}

function tidyUp({ files = {} }: Contender): void {
  for (const path of Object.keys(files)) rmSync(path, { force: true });
}

function fail({ name }: Contender, verb: Verb, words: string): never {
  throw new Error(`${name} failed at ${verb}: ${words}`);
}

/** As many ADDs as `calls`, `atOnce` of them at any time; then they are freed again, which isn't timed. */
async function burst({ contender, calls, atOnce, tag }: Job & { kind: "burst" }): Promise<BurstResult> {
  prepare(contender);
  const started = performance.now();
  await inParallel(contender, "ADD", calls, atOnce, tag);
  const ms = performance.now() - started;
  tidyUp(contender);
  await inParallel(contender, "DEL", calls, 8, tag);
  return { ms };
}

async function inParallel(
  contender: Contender,
  verb: Verb,
  calls: number,
  atOnce: number,
  tag: string,
): Promise<void> {
  let next = 0;
  const work = async () => {
    while (next < calls) await finish(contender, verb, start(contender, verb, `${tag}-${next++}`));
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, calls) }, work));
}

function start(contender: Contender, verb: Verb, container: string, open = false): Child {
  const env = environment(contender, verb, container);
  const child = bun.spawn(contender.command, { env, stdin: "pipe", stdout: "pipe", stderr: "inherit" });
  child.stdin.write(contender.stdin);
  if (!open) child.stdin.end();
  return child;
}

async function finish(contender: Contender, verb: Verb, child: Child): Promise<void> {
  const [stdout, exitCode] = await Promise.all([new Response(child.stdout).text(), child.exited]);
  if (exitCode !== 0) fail(contender, verb, stdout);
}

/**
 * Looks at the highest mark of its memory until each call is gone: what the kernel says afterwards (ru_maxrss) would be
 * at least what this process has.
 */
async function watchMemory({ contender, calls, tag }: Job & { kind: "memory" }): Promise<MemoryResult> {
  const peaks: number[] = [];
  for (let index = 0; index < calls; index++) {
    prepare(contender);
    const child = start(contender, "ADD", `${tag}-${index}`);
    let peak = 0;
    for (let now = readPeak(child.pid); now !== undefined; now = readPeak(child.pid))
      peak = Math.max(peak, now);
    peaks.push(peak);
    await finish(contender, "ADD", child);
    tidyUp(contender);
    if (!contender.verbs) call(contender, "DEL", `${tag}-${index}`, 0);
  }
  return { peaks };
}

/** KiB; undefined where the process has no memory any more. Until its execve, it has that of this process. */
function readPeak(pid: number): number | undefined {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const peak = /^VmHWM:\s+(\d+)/m.exec(status)?.[1];
  return peak === undefined ? undefined : Number(peak);
}

/** Several calls at once, looked at while all of them wait: for the delegate, or for the end of standard input. */
async function hold({ contender, calls, gate, tag }: Job & { kind: "held" }): Promise<HeldResult> {
  if (gate !== "stdin") writeFileSync(gate.file, "");
  const names = Array.from({ length: calls }, (_, index) => `${tag}-${index}`);
  const children = names.map((name) => start(contender, "ADD", name, gate === "stdin"));
  const waiting = () => gate === "stdin" || names.every((name) => existsSync(`${gate.file}.${name}`));
  for (const end = Date.now() + 10_000; !waiting(); await pause(20)) {
    if (Date.now() > end) throw new Error(`${contender.name} is not held up by its delegate`);
  }
  await pause(300);
  const maps = children.map(({ pid }) => readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"));
  if (gate !== "stdin") rmSync(gate.file);
  for (const child of children) child.stdin.end();
  await Promise.all(children.map((child) => finish(contender, "ADD", child)));
  if (gate !== "stdin") await inParallel(contender, "DEL", calls, 2, tag);
  return {
    resident: maps.map((text) => field(text, "Rss")),
    private: maps.map((text) => field(text, "Private_Clean") + field(text, "Private_Dirty")),
  };
}

function field(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0);
}
