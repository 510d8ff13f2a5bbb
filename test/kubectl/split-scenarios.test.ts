import { describe, expect, it } from "vitest";
import { ModelCluster, type Schedule } from "./model-cluster.ts";
import { annotate, expectNoneTwice, folder, ranges, runSplit } from "./model-split.ts";

/** Stands still before each request that has `what` in it, until `resume`. */
function stopBefore(what: string) {
  const reached = Promise.withResolvers<void>();
  const resumed = Promise.withResolvers<void>();
  const schedule: Schedule = async (request, step) => {
    if (request.includes(what)) {
      reached.resolve();
      await resumed.promise;
    }
    return step();
  };
  return { schedule, reached: reached.promise, resume: () => resumed.resolve() };
}

function clusterOf(...names: string[]): ModelCluster {
  const cluster = new ModelCluster();
  for (const name of names) cluster.create(folder, { name });
  return cluster;
}

const byHand = "192.168.0.0/24";

describe("a run that stands still", () => {
  it("before its writes, finds them done by another, and writes nothing", async () => {
    const cluster = clusterOf("a", "b");
    const early = stopBefore("patch");
    const run = runSplit(cluster, "early", early.schedule);
    await early.reached;
    expect(await runSplit(cluster, "late")).toBe(0);
    early.resume();
    expect(await run).toBe(0);
    expect(ranges(cluster)).toEqual({ a: "10.0.0.0/28", b: "10.0.0.16/28" });
  });

  it("before its commit, plans anew where another has committed", async () => {
    const cluster = clusterOf("a");
    const early = stopBefore("create");
    const run = runSplit(cluster, "early", early.schedule);
    await early.reached;
    cluster.create(folder, { name: "0" });
    expect(await runSplit(cluster, "late")).toBe(0);
    early.resume();
    expect(await run).toBe(0);
    expect(ranges(cluster)).toEqual({ "0": "10.0.0.0/28", a: "10.0.0.16/28" });
  });

  it("leaves a Node alone that was deleted and made again, and one that somebody annotated", async () => {
    const cluster = clusterOf("a", "b");
    const early = stopBefore("patch");
    const said: string[] = [];
    const run = runSplit(cluster, "early", early.schedule, said);
    await early.reached;
    cluster.objects.delete(`${folder}/a`);
    cluster.create(folder, { name: "a" });
    annotate(cluster, "b", byHand);
    early.resume();
    expect(await run).toBe(1);
    expect(ranges(cluster)).toEqual({ b: byHand });
    expect(said).toContain("node/a: gone: it was made again");
    expect(said).toContain(`node/b: changed: its annotation is "${byHand}" by now: left as it is`);
  });

  it("doesn't write what the plan has taken back meanwhile, though the Node looks as before", async () => {
    const cluster = clusterOf("a");
    const early = stopBefore("patch");
    const said: string[] = [];
    const run = runSplit(cluster, "early", early.schedule, said);
    await early.reached;
    annotate(cluster, "a", byHand);
    cluster.create(folder, { name: "b" });
    expect(await runSplit(cluster, "late")).toBe(0);
    annotate(cluster, "a", null);
    early.resume();
    expect(await run).toBe(1);
    expect(said).toContain("node/a: changed: the plan gives it other blocks by now");
    expect(ranges(cluster)).toEqual({ b: "10.0.0.0/28" });
  });
});

describe("a run that would take a block back, having seen a Node with ranges of its own", () => {
  /** Node a is promised a block, has ranges of its own while the late run reads, and none any more when that commits. */
  async function prepare(cluster: ModelCluster) {
    annotate(cluster, "a", byHand);
    cluster.create(folder, { name: "b" });
    const late = stopBefore("replace");
    const run = runSplit(cluster, "late", late.schedule);
    await late.reached;
    annotate(cluster, "a", null);
    return { resume: late.resume, run };
  }

  it("can't commit any more once a resumed run has looked again", async () => {
    const cluster = clusterOf("a");
    const early = stopBefore("patch");
    const run = runSplit(cluster, "early", early.schedule);
    await early.reached;
    const late = await prepare(cluster);
    early.resume();
    expect(await run).toBe(0);
    late.resume();
    expect(await late.run).toBe(0);
    expectNoneTwice(cluster);
    expect(ranges(cluster)).toEqual({ a: "10.0.0.0/28", b: "10.0.0.16/28" });
  });

  it("can't commit any more once a new run has taken up the promise", async () => {
    const cluster = clusterOf("a");
    const killed = stopBefore("patch");
    void runSplit(cluster, "killed", killed.schedule);
    await killed.reached;
    const late = await prepare(cluster);
    const next = stopBefore("patch");
    const run = runSplit(cluster, "next", next.schedule, [], "name=a");
    await next.reached;
    late.resume();
    await late.run;
    next.resume();
    await run;
    expectNoneTwice(cluster);
  });
});
