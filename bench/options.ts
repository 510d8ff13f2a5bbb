import { parseArgs } from "node:util";

/** What is measured beside single calls, which always are. */
export const parts = ["bursts", "memory", "stores", "profile", "variants", "rollout"] as const;

export type Part = (typeof parts)[number];

export type Options = { rounds: number; warmup: number; json: string; report: boolean; parts: Set<Part> };

export const usage = `usage: ./build.sh bench [--rounds=60] [--warmup=5] [--profile] [--variants] [--rollout] [--only=PARTS]
       [--json=FILE] [--report]
       ./build.sh bench agent [--minutes=5]    an idle node agent beside 250 pods: its goals, and whether they are met
       ./build.sh bench pools [--only=PARTS] [--nodes=N,N] [--rounds=5] [--json=FILE] [--report]    what pools cost: the planner alone; the controller on a real API server

  --rounds    calls of each contender and verb, in turn        --warmup   rounds before, which don't count
  --profile   where the time of a call goes, stage by stage    --variants the executable built in other ways
  --rollout   100 pods on a real node (needs $CLUSTER_TOOLS and takes some ten minutes)
  --only      in the place of all that is usual: some of ${parts.join(",")}, or none
  --json      where the numbers go (_output/bench.json)        --report   writes them into README.md and docs/ as well

In the environment: BENCH_PEERS="name=/path/to/kube-node …", KUBEBUILDER_ASSETS for a real API server.`;

/** Throws an Error in words for people where an argument makes no sense. */
export function parseOptions(args: string[], json: string): Options {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: "string", default: "60" },
      warmup: { type: "string", default: "5" },
      json: { type: "string", default: json },
      only: { type: "string" },
      profile: { type: "boolean", default: false },
      variants: { type: "boolean", default: false },
      rollout: { type: "boolean", default: false },
      report: { type: "boolean", default: false },
    },
  });
  const usual = values.only === undefined ? "bursts,memory,stores" : values.only;
  const chosen = new Set(
    usual
      .split(",")
      .filter((name) => name !== "none" && name !== "")
      .map(parsePart),
  );
  for (const part of ["profile", "variants", "rollout"] as const) if (values[part]) chosen.add(part);
  return {
    rounds: parseCount("rounds", values.rounds, 1),
    warmup: parseCount("warmup", values.warmup, 0),
    json: values.json,
    report: values.report,
    parts: chosen,
  };
}

function parsePart(name: string): Part {
  const part = parts.find((one) => one === name);
  if (part === undefined)
    throw new Error(`--only: no part "${name}"; there are ${parts.join(", ")}, or none`);
  return part;
}

function parseCount(name: string, text: string, least: number): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < least)
    throw new Error(`--${name}: expected a number from ${least} on, found "${text}"`);
  return count;
}
