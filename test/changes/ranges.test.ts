// The Node says something else while pods live: nobody's address is given twice, and everybody can be checked and ended.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { readFailure } from "../real/parts/answers.ts";
import { beginOutage } from "../real/parts/outage.ts";
import { describeHostLocals } from "../real/parts/subjects.ts";
import { makeWorker, type Worker } from "../real/parts/worker.ts";

const key = "example.com/net1";
const ipam = { annotation: key };

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

/** Pods live on 10.1.0.2 to 10.1.0.4, then the annotation becomes this. `next` is what three more pods get, or why they don't. */
const replaced: [what: string, annotation: string | null, next: string[][] | number][] = [
  ["another network", "10.2.0.0/24", [["10.2.0.2"], ["10.2.0.3"], ["10.2.0.4"]]],
  ["a wider one around it", "10.1.0.0/16", [["10.1.0.5"], ["10.1.0.6"], ["10.1.0.7"]]],
  ["a part of it, partly in use", "10.1.0.3-10.1.0.6/24", [["10.1.0.5"], ["10.1.0.6"], []]],
  ["a smaller one, all of it in use", "10.1.0.0/29", [["10.1.0.5"], ["10.1.0.6"], []]],
  ["a part of it before those in use", "10.1.0.1-10.1.0.4/24", [[], [], []]],
  ["one that begins in its middle", "10.1.0.2-10.1.1.9/23", [["10.1.0.5"], ["10.1.0.6"], ["10.1.0.7"]]],
  [
    "the same with another gateway",
    '[[{"subnet":"10.1.0.0/24","gateway":"10.1.0.5"}]]',
    [["10.1.0.6"], ["10.1.0.7"], ["10.1.0.8"]],
  ],
  ["another family", "fd00:9::/64", [["fd00:9::2"], ["fd00:9::3"], ["fd00:9::4"]]],
  [
    "both families",
    "fd00:9::/64,10.1.0.0/24",
    [
      ["fd00:9::2", "10.1.0.5"],
      ["fd00:9::3", "10.1.0.6"],
      ["fd00:9::4", "10.1.0.7"],
    ],
  ],
  [
    "the same in a second place",
    "fd00:9::/64,10.1.0.0/25",
    [
      ["fd00:9::2", "10.1.0.5"],
      ["fd00:9::3", "10.1.0.6"],
      ["fd00:9::4", "10.1.0.7"],
    ],
  ],
  ["nothing", null, 103],
  ["an empty text", "", 103],
  ["rubbish", "10.1.0.0/24,oops", 103],
];

describeHostLocals("an annotation that changes", (subject) => {
  /** A worker with three pods. */
  async function prepare(): Promise<Worker> {
    const worker = await makeWorker(server, subject, { annotations: { [key]: "10.1.0.0/24" } });
    for (const [i, id] of ["a1", "a2", "a3"].entries())
      expect(await worker.add({ id, ipam })).toEqual([`10.1.0.${i + 2}`]);
    return worker;
  }

  const live = { "10.1.0.2": "a1 eth0", "10.1.0.3": "a2 eth0", "10.1.0.4": "a3 eth0" };

  async function addMore(worker: Worker): Promise<string[][]> {
    const all: string[][] = [];
    for (const id of ["b1", "b2", "b3"]) {
      const answer = await worker.call("ADD", { id, ipam });
      const { ips = [] } = answer.json as { ips?: { address: string }[] };
      if (answer.exitCode !== 0)
        expect(readFailure(answer)).toMatchObject({
          code: 999,
          msg: expect.stringContaining("no IP addresses available"),
        });
      all.push(ips.map(({ address }) => address.replace(/\/\d+$/, "")));
    }
    return all;
  }

  it.each(replaced)("into %s", async (_, annotation, next) => {
    const worker = await prepare();
    await worker.annotate(key, annotation);
    if (typeof next === "number") {
      expect(await worker.fail("ADD", { id: "b1", ipam })).toMatchObject({ code: next });
      await beginOutage(server);
      expect(await worker.fail("ADD", { id: "b1", ipam })).toMatchObject({ code: next });
    } else {
      // host-local goes on behind the address that it gave last, where that is in the range.
      const got = await addMore(worker);
      expect(got.flat().sort()).toEqual(next.flat().sort());
    }
    expect(worker.leases()).toMatchObject(live);
    for (const id of ["a1", "a2", "a3"]) await worker.pass("CHECK", { id, ipam });
    await worker.annotate(key, "10.77.0.0/24");
    for (const id of ["a1", "a2", "a3", "b1", "b2", "b3"]) await worker.pass("DEL", { id, ipam });
    expect([worker.leases(), worker.records()]).toEqual([{}, []]);
  });

  it("to and fro, with pods of each: no address twice, and all of them go", async () => {
    const worker = await prepare();
    const texts = replaced.flatMap(([, text, next]) =>
      text !== null && typeof next !== "number" ? [text] : [],
    );
    const held = Object.keys(live);
    for (const [round, text] of [...texts, ...texts.toReversed()].entries()) {
      await worker.annotate(key, text);
      const answer = await worker.call("ADD", { id: `r${round}`, ipam });
      if (answer.exitCode !== 0) expect(readFailure(answer).code).toBe(999);
      else
        held.push(
          ...(answer.json as { ips: { address: string }[] }).ips.map(({ address }) =>
            address.replace(/\/\d+$/, ""),
          ),
        );
    }
    expect(new Set(held).size).toBe(held.length);
    expect(Object.keys(worker.leases()).sort()).toEqual(held.sort());
    await worker.pass("GC", {
      ipam,
      config: { cniVersion: "1.1.0", "cni.dev/valid-attachments": [{ containerID: "a2", ifname: "eth0" }] },
    });
    expect(worker.leases()).toEqual({ "10.1.0.3": "a2 eth0" });
  });
});

describeHostLocals("a Node that is made again under its name", (subject) => {
  const fresh = { ipam: { cacheTTL: 0 } };

  async function remake(worker: Worker, podCIDRs: string[]): Promise<void> {
    await server.deleteNode(worker.name);
    await server.createNode({ name: worker.name, podCIDRs });
  }

  it("with other podCIDRs: they count once they are asked for, and pods of the old ones can end", async () => {
    const worker = await makeWorker(server, subject, { podCIDRs: ["10.1.0.0/24"] });
    await worker.add({ id: "a1" });
    await remake(worker, ["10.5.0.0/24", "fd00:5::/64"]);
    expect(await worker.add({ id: "b1", ...fresh })).toEqual(["10.5.0.2", "fd00:5::2"]);
    await worker.pass("CHECK", { id: "a1" });
    for (const id of ["a1", "b1"]) await worker.pass("DEL", { id });
    expect([worker.leases(), worker.records()]).toEqual([{}, []]);
  });

  it("without podCIDRs: 103, also in an outage after that, and DEL", async () => {
    const worker = await makeWorker(server, subject, { podCIDRs: ["10.1.0.0/24"] });
    await worker.add({ id: "a1" });
    await remake(worker, []);
    expect(await worker.fail("ADD", { id: "b1", ...fresh })).toMatchObject({ code: 103 });
    await beginOutage(server);
    expect(await worker.fail("ADD", { id: "b1", ...fresh })).toMatchObject({ code: 103 });
    await worker.pass("DEL", { id: "a1" });
    expect(worker.leases()).toEqual({});
  });

  it("and one that is gone: 102, an answer that no last-known ranges stand in for, and DEL", async () => {
    const worker = await makeWorker(server, subject, {
      podCIDRs: ["10.1.0.0/24"],
      identity: { kind: "serviceAccount", namespace: "kube-system", name: "cni", mayRead: "all" },
    });
    const named = { ipam: { cacheTTL: 0, nodeName: worker.name } };
    await worker.add({ id: "a1", ...named });
    await server.deleteNode(worker.name);
    expect(await worker.fail("ADD", { id: "b1", ...named })).toMatchObject({ code: 102 });
    await worker.pass("CHECK", { id: "a1", ...named });
    await worker.pass("DEL", { id: "a1", ...named });
    expect(worker.leases()).toEqual({});
    await server.createNode({ name: worker.name });
  });
});

describeHostLocals("a network that is renamed", (subject) => {
  const renamed = { config: { name: "net2" } };

  it("is another one: what was given under the old name stays there until it is ended under it", async () => {
    const worker = await makeWorker(server, subject, { podCIDRs: ["10.1.0.0/24"] });
    await worker.add({ id: "a1" });
    await worker.pass("DEL", { id: "a1", ...renamed });
    expect(worker.leases()).toEqual({ "10.1.0.2": "a1 eth0" });
    await worker.fail("CHECK", { id: "a1", ...renamed });
    const valid = { cniVersion: "1.1.0", "cni.dev/valid-attachments": [] };
    await worker.pass("GC", { config: { ...renamed.config, ...valid } });
    expect(worker.leases()).toEqual({ "10.1.0.2": "a1 eth0" });
    await worker.pass("DEL", { id: "a1" });
    expect(worker.leases()).toEqual({});
  });

  it("known limit: host-local keeps a store a name, so drain the node before, or addresses are given again", async () => {
    const worker = await makeWorker(server, subject, { podCIDRs: ["10.1.0.0/24"] });
    expect(await worker.add({ id: "a1" })).toEqual(["10.1.0.2"]);
    expect(await worker.add({ id: "b1", ...renamed })).toEqual(["10.1.0.2"]);
  });

  describe("and named as before", () => {
    it("knows its pods again", async () => {
      const worker = await makeWorker(server, subject, { podCIDRs: ["10.1.0.0/24"] });
      await worker.add({ id: "a1" });
      await worker.add({ id: "b1", ...renamed });
      expect(await worker.fail("ADD", { id: "a1" })).toMatchObject({ code: 101 });
      await worker.pass("CHECK", { id: "a1" });
      await worker.pass("DEL", { id: "a1" });
      expect([worker.leases(), worker.leases("net2")]).toEqual([{}, { "10.1.0.2": "b1 eth0" }]);
    });
  });
});
