import { expect } from "vitest";
import type { Shell } from "../../src/kubectl/shell.ts";
import { split } from "../../src/kubectl/split.ts";
import { orderOf, type SplitFlags } from "../../src/kubectl/split-flags.ts";
import { paintFor } from "../../src/terminal/paint.ts";
import type { ModelCluster, Schedule } from "./model-cluster.ts";

const key = "example.com/net1";
export const folder = "/api/v1/nodes";

const flags: SplitFlags = {
  cidr: "10.0.0.0/24",
  perNode: "/28",
  planNamespace: "kube-system",
  releaseAfter: "0",
  dryRun: "none",
  yes: true,
  output: "table",
};

/** One run of split on the model; its exit code. What it says goes to `said`. */
export function runSplit(
  cluster: ModelCluster,
  name: string,
  schedule: Schedule = async (_, step) => step(),
  said: string[] = [],
  selector?: string,
): Promise<number> {
  const shell: Shell = {
    env: {},
    width: undefined,
    height: undefined,
    paint: paintFor(false, {}),
    repaint: () => {},
    print: (text) => said.push(text),
    say: (text) => said.push(text),
    progress: () => {},
    connect: () => Promise.reject(new Error("not needed")),
  };
  const order = orderOf(key, { ...flags, ...(selector !== undefined && { selector }) });
  return split(cluster.client(name, schedule), order, flags, shell);
}

export function annotate(cluster: ModelCluster, node: string, text: string | null): void {
  cluster.annotate(`${folder}/${node}`, { metadata: { annotations: { [key]: text } } });
}

/** The ranges of each Node that has some. */
export function ranges(cluster: ModelCluster): Record<string, string> {
  const nodes = [...cluster.objects].filter(([path]) => path.startsWith(folder));
  return Object.fromEntries(
    nodes.flatMap(([, { metadata }]) => {
      const text = (metadata["annotations"] as Record<string, string> | undefined)?.[key];
      return text === undefined ? [] : [[metadata.name, text]];
    }),
  );
}

export function expectNoneTwice(cluster: ModelCluster): void {
  const all = Object.values(ranges(cluster));
  expect(all).toEqual([...new Set(all)]);
}
