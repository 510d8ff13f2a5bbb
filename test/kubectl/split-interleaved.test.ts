import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Shell } from "../../src/kubectl/shell.ts";
import { split } from "../../src/kubectl/split.ts";
import { orderOf, type SplitFlags } from "../../src/kubectl/split-flags.ts";
import { paintFor } from "../../src/terminal/paint.ts";
import { ModelCluster, type Schedule } from "./model-cluster.ts";

const key = "example.com/net1";
const folder = "/api/v1/nodes";
const flags: SplitFlags = {
  cidr: "10.0.0.0/24",
  perNode: "/28",
  planNamespace: "kube-system",
  releaseAfter: "0",
  dryRun: "none",
  yes: true,
  output: "table",
};
const shell: Shell = {
  env: {},
  width: undefined,
  paint: paintFor(false, {}),
  print: () => {},
  say: () => {},
  progress: () => {},
  connect: () => Promise.reject(new Error("not needed")),
};

/** What people and controllers do to Nodes meanwhile. */
type Event = { node: string; does: "delete" | "make" | "label" | "annotate" | "unannotate" };

const names = ["a", "b", "c", "d"];
const event = fc.record<Event>({
  node: fc.constantFrom(...names),
  does: fc.constantFrom("delete", "make", "label", "annotate", "unannotate"),
});

function happen(cluster: ModelCluster, { node, does }: Event, count: number): void {
  const path = `${folder}/${node}`;
  const isThere = cluster.objects.has(path);
  if (does === "make" && !isThere) cluster.create(folder, { name: node });
  if (!isThere) return;
  if (does === "delete") cluster.objects.delete(path);
  if (does === "label") cluster.annotate(path, { metadata: { annotations: { other: String(count) } } });
  // Nobody annotates by hand what split gives out.
  if (does === "annotate")
    cluster.annotate(path, { metadata: { annotations: { [key]: `192.168.${count}.0/24` } } });
  if (does === "unannotate") cluster.annotate(path, { metadata: { annotations: { [key]: null } } });
}

function blocks(cluster: ModelCluster): string[] {
  return [...cluster.objects].flatMap(([path, { metadata }]) => {
    const annotations = metadata["annotations"] as Record<string, string> | undefined;
    return path.startsWith(folder) && annotations?.[key] ? [annotations[key]] : [];
  });
}

function expectNoneTwice(cluster: ModelCluster): void {
  const all = blocks(cluster);
  expect(all).toEqual([...new Set(all)]);
}

describe("runs of split at a time, their requests and the cluster's changes in any order", () => {
  // Runs that lose a commit wait for a random time: here for none.
  beforeAll(() => void vi.spyOn(Math, "random").mockReturnValue(0));
  afterAll(() => void vi.restoreAllMocks());

  it("never give one block twice, and a last run completes what is left", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.integer({ min: 2, max: 3 }),
        fc.array(event, { maxLength: 12 }),
        async (scheduler, runs, events) => {
          const cluster = new ModelCluster();
          for (const name of names.slice(0, 3)) cluster.create(folder, { name });
          const schedule: Schedule = async (what, step) =>
            await scheduler.schedule(Promise.resolve(), what).then(step);
          const run = (name: string) =>
            split(cluster.client(name, schedule), orderOf(key, flags), flags, shell);
          const all = Array.from({ length: runs }, (_, index) => run(`run ${index}`));
          const changes = scheduler.scheduleSequence(
            events.map((one, index) => ({
              label: `${one.does} ${one.node}`,
              builder: async () => {
                happen(cluster, one, index);
                expectNoneTwice(cluster);
              },
            })),
          );
          await scheduler.waitFor(Promise.all([...all, changes.task]));
          expect((await changes.task).faulty).toBe(false);
          expectNoneTwice(cluster);

          const last = split(
            cluster.client("last run", async (_, step) => step()),
            orderOf(key, flags),
            flags,
            shell,
          );
          expect(await last).toBe(0);
          expectNoneTwice(cluster);
          expect(blocks(cluster)).toHaveLength(
            [...cluster.objects.keys()].filter((path) => path.startsWith(folder)).length,
          );
        },
      ),
      { numRuns: 300 },
    );
  }, 60_000);
});
