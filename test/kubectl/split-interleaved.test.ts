import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { ModelCluster, type Schedule } from "./model-cluster.ts";
import { annotate, expectNoneTwice, folder, ranges, runSplit } from "./model-split.ts";

/** What people and controllers do to Nodes meanwhile. */
type Event = { node: string; does: "delete" | "make" | "label" | "annotate" | "unannotate" };

// Now and then a run stands still (SIGSTOP) while others make so many steps.
const holds = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: 5, max: 30 }) },
  ),
  {
    minLength: 40,
    maxLength: 40,
  },
);

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
  if (does === "annotate") annotate(cluster, node, `192.168.${count}.0/24`);
  if (does === "unannotate") annotate(cluster, node, null);
}

describe("runs of split at a time, their requests and the cluster's changes in any order", () => {
  // Runs that lose a commit wait for a random time: here for none.
  beforeAll(() => void vi.spyOn(Math, "random").mockReturnValue(0));
  afterAll(() => void vi.restoreAllMocks());

  it("never give one block twice, and a last run completes what is left", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 2, maxLength: 3 }),
        fc.array(event, { maxLength: 20 }),
        holds,
        async (scheduler, actors, events, holds) => {
          const cluster = new ModelCluster();
          for (const name of names.slice(0, 2)) cluster.create(folder, { name });
          let steps = 0;
          const schedule: Schedule = async (what, step) => {
            for (let held = holds[steps++ % holds.length] ?? 0; held > 0; held--)
              await scheduler.schedule(Promise.resolve(), "stands still");
            return await scheduler.schedule(Promise.resolve(), what).then(step);
          };
          const run = (name: string) => runSplit(cluster, name, schedule);
          const all = actors.map(async (times, index) => {
            for (let time = 1; time <= times; time++) await run(`person ${index}, run ${time}`);
          });
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

          expect(await runSplit(cluster, "last run")).toBe(0);
          expectNoneTwice(cluster);
          const nodes = [...cluster.objects.keys()].filter((path) => path.startsWith(folder));
          expect(Object.keys(ranges(cluster))).toHaveLength(nodes.length);
        },
      ),
      { numRuns: 500 },
    );
  }, 60_000);
});
