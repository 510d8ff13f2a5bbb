import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Arena } from "./arena.ts";
import { oursAsking, oursKept } from "./contenders.ts";
import { compile } from "./executables.ts";
import type { Contender, Sample, Verb } from "./plan.ts";
import { instrumentSources } from "./profile/instrument.ts";
import { stages } from "./profile/stages.ts";
import type { ProfileTable } from "./results.ts";
import { runJob } from "./run-job.ts";
import { median } from "./statistics.ts";

/** What clock.ts writes of one call; times are milliseconds since 1970. */
type Timeline = { loaded: number; spans: [stage: string, begin: number, end: number][]; end: number };

/** Where the time of a call goes: the executable compiled as released, but with a clock in it. */
export async function profile(arena: Arena, rounds: number): Promise<ProfileTable[]> {
  const { world, hostLocal } = arena;
  const sources = instrumentSources(join(world.folder, "profiled"));
  const executable = await compile("bin/executable.ts", join(world.folder, "profiled-kube-node"), {
    cwd: sources,
  });
  const kept = oursKept(world, hostLocal, executable);
  const asking = oursAsking(world, hostLocal, executable);
  return [
    ...(await profileVerbs(arena, kept, ["ADD", "CHECK", "DEL"], "ranges kept", rounds)),
    ...(await profileVerbs(arena, asking, ["ADD", "DEL"], "asking the API server", rounds)).slice(0, 1),
  ];
}

async function profileVerbs(
  { world }: Arena,
  contender: Contender,
  verbs: Verb[],
  mode: string,
  rounds: number,
): Promise<ProfileTable[]> {
  const log = join(world.folder, "profile.log");
  const profiled = { ...contender, env: { ...contender.env, KUBE_NODE_PROFILE: log } };
  rmSync(log, { force: true });
  const tag = mode.replaceAll(" ", "-");
  const samples = await runJob({
    kind: "turns",
    tag,
    contenders: [profiled],
    verbs,
    rounds: rounds + 3,
    warmup: 0,
  });
  const lines = readFileSync(log, "utf8").trimEnd().split("\n");
  const timelines = lines.map((line) => JSON.parse(line) as Timeline);
  const calls = samples.map((sample, index) => ({ sample, timeline: timelines[index] as Timeline }));
  return verbs.map((verb) => {
    const own = calls.filter(({ sample }) => sample.verb === verb && sample.round >= 3);
    return summarize(`${verb}, ${mode}`, own);
  });
}

function summarize(title: string, calls: { sample: Sample; timeline: Timeline }[]): ProfileTable {
  const of = (measure: (call: (typeof calls)[number]) => number) => median(calls.map(measure));
  const total = of(({ sample }) => sample.ms);
  const rows: ProfileTable["stages"] = [
    { stage: "start-up of the runtime", ms: of(({ sample, timeline }) => timeline.loaded - sample.started) },
    { stage: "loading our modules", ms: of(({ timeline }) => firstBegin(timeline) - timeline.loaded) },
  ];
  for (const stage of new Set(stages.map((one) => one.stage))) {
    const ms = of(({ timeline }) => sum(timeline, stage));
    const within = stages.find((one) => one.stage === stage)?.within;
    if (ms > 0) rows.push({ stage, ms, ...(within && { within }) });
  }
  rows.push({
    stage: "end of the process",
    ms: of(({ sample, timeline }) => sample.started + sample.ms - timeline.end),
  });
  const named = rows.filter((row) => row.within === undefined).reduce((all, { ms }) => all + ms, 0);
  rows.push({ stage: "between the stages", ms: total - named });
  return { title, total, stages: rows };
}

const firstBegin = ({ spans }: Timeline): number => Math.min(...spans.map(([, begin]) => begin));

function sum({ spans }: Timeline, stage: string): number {
  const own = spans.filter(([name]) => name === stage);
  return own.reduce((all, [, begin, end]) => all + end - begin, 0);
}
