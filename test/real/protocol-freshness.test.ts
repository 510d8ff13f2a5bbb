// How fresh ranges are: when the API server is asked, when what is known counts, and what stands in for it.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { addressesIn } from "./parts/answers.ts";
import { describeHostLocals, describeSubjects } from "./parts/subjects.ts";
import { makeWorker, type Worker } from "./parts/worker.ts";

const podCIDRs = ["10.1.0.0/24"];
const key = "example.com/net1";
const ipam = { annotation: key };
const annotations = { [key]: "10.2.0.0/24" };

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

describeSubjects("asking the API server", (subject) => {
  const make = () => makeWorker(server, subject, { podCIDRs, annotations });

  it("for an annotation at every ADD", async () => {
    const worker = await make();
    for (const id of ["c1", "c2", "c3"]) await worker.add({ ipam, id });
    expect(worker.requests()).toHaveLength(3);
    await worker.annotate(key, "10.3.0.0/24");
    expect(await worker.add({ ipam, id: "c4" })).toEqual(["10.3.0.2"]);
    await worker.annotate(key, null);
    expect(await worker.fail("ADD", { ipam, id: "c5" })).toMatchObject({
      code: 103,
      msg: `Node ${worker.name} has no annotation ${key}`,
    });
  });

  it("for podCIDRs once in minutes", async () => {
    const worker = await make();
    for (const id of ["c1", "c2", "c3"]) await worker.add({ id });
    expect(worker.requests()).toHaveLength(1);
    makeOlder(worker, "ranges-spec.podCIDRs", 301);
    await worker.add({ id: "c4" });
    expect(worker.requests()).toHaveLength(2);
  });

  it("as often as cacheTTL says", async () => {
    const worker = await make();
    for (const id of ["c1", "c2"]) await worker.add({ ipam: { ...ipam, cacheTTL: 60 }, id });
    expect(worker.requests()).toHaveLength(1);
    makeOlder(worker, "ranges-annotation%20example.com%2Fnet1", 61);
    await worker.add({ ipam: { ...ipam, cacheTTL: 60 }, id: "c3" });
    expect(worker.requests()).toHaveLength(2);
    for (const id of ["c4", "c5"]) await worker.add({ ipam: { cacheTTL: 0 }, id });
    expect(worker.requests()).toHaveLength(4);
  });

  it("anew after a reboot, however young an answer is", async () => {
    const worker = await make();
    await worker.add();
    changeAnswer(worker, "ranges-spec.podCIDRs", () => ({ bootID: "an earlier one" }));
    await worker.add({ id: "c2" });
    expect(worker.requests()).toHaveLength(2);
  });
});

describeHostLocals("a burst", (subject) => {
  it("of 50 ADDs shares requests, and each gets an address of its own", async () => {
    const worker = await makeWorker(server, subject, { annotations });
    const ids = Array.from({ length: 50 }, (_, index) => `c${index}`);
    const answers = await Promise.all(ids.map((id) => worker.call("ADD", { ipam, id })));
    expect(new Set(answers.flatMap(addressesIn)).size).toBe(50);
    expect(worker.requests().length).toBeGreaterThan(0);
    expect(worker.requests().length).toBeLessThanOrEqual(25); // One in 100 ms, for as long as it takes to start 50.
    expect(Object.values(worker.leases()).sort()).toEqual(ids.map((id) => `${id} eth0`).sort());
    const deletions = await Promise.all(ids.map((id) => worker.call("DEL", { ipam, id })));
    expect(deletions.map(({ exitCode }) => exitCode)).toEqual(ids.map(() => 0));
    expect([worker.leases(), worker.records()]).toEqual([{}, []]);
  });
});

/** Makes an answer that was kept older by some seconds. */
function makeOlder(worker: Worker, name: string, seconds: number): void {
  changeAnswer(worker, name, ({ at }) => ({ at: at - seconds }));
}

function changeAnswer(worker: Worker, name: string, change: (old: { at: number }) => object): void {
  const path = join(worker.state(), name);
  const old = JSON.parse(readFileSync(path, "utf8")) as { at: number };
  writeFileSync(path, JSON.stringify({ ...old, ...change(old) }));
}
