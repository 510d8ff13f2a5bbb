// "Mend: kube-node", items 1 to 6: what is kept, and what it is good for.
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { addressesIn } from "./parts/answers.ts";
import { callHostLocal } from "./parts/bare-host-local.ts";
import { failing } from "./parts/delegates.ts";
import { beginOutage } from "./parts/outage.ts";
import { describeSubjects, onlyCompiled } from "./parts/subjects.ts";
import { makeWorker } from "./parts/worker.ts";

const podCIDRs = ["10.1.0.0/24", "fd00:1::/64"];
const key = "example.com/net1";

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

describeSubjects("mended in kube-node: state", (subject) => {
  const itCompiled = onlyCompiled(subject);

  const make = (spec: Parameters<typeof makeWorker>[2] = { podCIDRs }) => makeWorker(server, subject, spec);
  const annotated = (value: string) => make({ annotations: { [key]: value } });
  const ipam = { annotation: key };

  it("1: a delegate's error, a failed CHECK included, doesn't lose the ranges", async () => {
    const worker = await annotated("10.2.0.0/24");
    await worker.add({ ipam });
    await worker.fail("CHECK", { ipam, id: "unknown" });
    const broken = worker.putProgram("host-local", failing(999, "disk full"));
    expect(await worker.fail("ADD", { ipam, id: "c2" })).toMatchObject({ code: 999, msg: "disk full" });
    rmSync(broken);
    await beginOutage(server);
    expect(await worker.add({ ipam, id: "c3" })).toEqual(["10.2.0.3"]);
  });

  itCompiled("1: ranges that changed on the Node are taken", async () => {
    const worker = await annotated("10.2.0.0/24");
    expect(await worker.add({ ipam })).toEqual(["10.2.0.2"]);
    await worker.annotate(key, "10.3.0.0/24");
    expect(await worker.add({ ipam, id: "c2" })).toEqual(["10.3.0.2"]);
  });

  it("2: two networks that share a dataDir each get their own ranges", async () => {
    const worker = await make({
      annotations: { one: "10.1.1.0/24", two: "10.1.2.0/24", three: "10.1.3.0/24" },
    });
    const add = (name: string, annotation: string, id: string) =>
      worker.add({ config: { name }, ipam: { annotation }, id });
    expect(await add("one", "one", "c1")).toEqual(["10.1.1.2"]);
    expect(await add("two", "two", "c1")).toEqual(["10.1.2.2"]);
    expect(await add("two", "three", "c3")).toEqual(["10.1.3.2"]);
    await beginOutage(server);
    expect(await add("one", "one", "c2")).toEqual(["10.1.1.3"]);
    expect(await add("two", "two", "c2")).toEqual(["10.1.2.3"]);
    expect(await add("two", "three", "c4")).toEqual(["10.1.3.3"]);
    expect(Object.keys(worker.leases("one"))).toEqual(["10.1.1.2", "10.1.1.3"]);
  });

  itCompiled("3: the configuration's dataDir wins over that of the original's cache", async () => {
    const worker = await make();
    const other = join(worker.folder, "other");
    const ranges = [[{ subnet: "10.4.0.0/24" }]];
    mkdirSync(worker.dataDir);
    writeFileSync(
      join(worker.dataDir, "kube-node.json"),
      JSON.stringify({ type: "host-local", dataDir: other, ranges }),
    );
    await beginOutage(server);
    expect(await worker.add()).toEqual(["10.4.0.2"]);
    expect(worker.leases()).toEqual({ "10.4.0.2": "c1 eth0" });
    expect(statSync(other, { throwIfNoEntry: false })).toBeUndefined();
  });

  itCompiled("3: but leases that the original gave in the cache's dataDir are not given twice", async () => {
    const worker = await make();
    const other = join(worker.folder, "other");
    const cache = join(worker.dataDir, "kube-node.json");
    const ranges = podCIDRs.map((subnet) => [{ subnet }]);
    mkdirSync(worker.dataDir);
    writeFileSync(cache, JSON.stringify({ type: "host-local", dataDir: other, ranges }));
    addressesIn(await callHostLocal(subject, { dataDir: other }, "ADD"));
    expect(await worker.fail("ADD", { id: "c2" })).toEqual({
      cniVersion: "1.0.0",
      code: 7,
      msg: "leases of network net1 lie in another dataDir, and would be given twice",
      details: `${cache} names ${other}, where the original leased 10.1.0.2: set ipam.dataDir to that, or move the file away once their pods are gone`,
    });
    const there = { ipam: { dataDir: other } };
    expect(await worker.add({ ...there, id: "c2" })).toEqual(["10.1.0.3", "fd00:1::2"]);
    for (const id of ["c1", "c2"]) await worker.pass("DEL", { ...there, id });
    expect(await worker.add({ id: "c3" })).toEqual(["10.1.0.2", "fd00:1::2"]);
  });

  it("4: what is kept is replaced, not written in place, and nobody else may read it", async () => {
    const worker = await annotated("10.2.0.0/24");
    const openly = (command: string[]) => ["sh", "-c", 'umask 0; exec "$@"', "sh", ...command];
    await worker.add({ ipam, wrap: openly });
    const path = join(worker.state(), "ranges-annotation%20example.com%2Fnet1");
    const before = openSync(path, "r");
    await worker.annotate(key, "10.3.0.0/24");
    await worker.add({ ipam, id: "c2", wrap: openly });
    expect(JSON.parse(readFileSync(before, "utf8"))).toMatchObject({ value: "10.2.0.0/24" });
    closeSync(before);
    expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ value: "10.3.0.0/24" });
    const modes = [path, join(worker.state(), "attachments/c1:eth0")].map(
      (file) => statSync(file).mode & 0o777,
    );
    expect(modes).toEqual([0o600, 0o600]);
    expect(statSync(worker.state()).mode & 0o777).toBe(0o700);
  });

  it("5: DEL and CHECK ask the API server nothing, and work after the annotation was removed", async () => {
    const worker = await annotated("10.2.0.0/24");
    await worker.add({ ipam });
    await worker.annotate(key, null);
    const asked = worker.requests();
    await worker.pass("CHECK", { ipam });
    await worker.pass("DEL", { ipam });
    await worker.pass("DEL", { ipam });
    expect(await worker.fail("CHECK", { ipam })).toMatchObject({ code: 999 });
    expect(worker.requests()).toEqual(asked);
    expect([worker.leases(), worker.records()]).toEqual([{}, []]);
  });

  it("5: DEL and CHECK without anything of ours on the disk ask nothing, and free a lease", async () => {
    const worker = await annotated("10.2.0.0/24");
    await worker.add({ ipam });
    rmSync(join(worker.dataDir, ".kube-node"), { recursive: true });
    const asked = worker.requests();
    const connections = server.connections();
    await beginOutage(server, "blackHole");
    await worker.pass("CHECK", { ipam });
    await worker.pass("DEL", { ipam });
    expect([worker.leases(), worker.requests()]).toEqual([{}, asked]);
    expect(server.connections()).toBe(connections);
  });

  itCompiled("6: an IPv4-only node with gating: ADD fails with 104, DEL succeeds", async () => {
    const worker = await make({ podCIDRs: ["10.1.0.0/24"] });
    const gated = { ipam: { "ipv4-namespaces": ["db"] }, namespace: "web" };
    expect(await worker.fail("ADD", gated)).toMatchObject({
      code: 104,
      msg: `Node ${worker.name} has only IPv4 ranges, and this pod may not have IPv4`,
      details: expect.stringContaining("namespace web"),
    });
    expect([worker.leases(), worker.records()]).toEqual([{}, []]);
    await worker.pass("DEL", gated);
  });
});
