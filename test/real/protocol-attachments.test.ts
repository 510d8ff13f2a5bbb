import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { addressesIn, readFailure } from "./parts/answers.ts";
import { callHostLocal } from "./parts/bare-host-local.ts";
import { putRecorder } from "./parts/recorder.ts";
import { editJson } from "./parts/store.ts";
import { describeHostLocals, describeSubjects, onlyCompiled } from "./parts/subjects.ts";
import { makeWorker, type Worker } from "./parts/worker.ts";

const podCIDRs = ["10.1.0.0/24", "fd00:1::/64"];
const both = { "10.1.0.2": "c1 eth0", "fd00:1::2": "c1 eth0" };

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

describeSubjects(
  "a configuration without a top-level type, as the original's examples have it",
  (subject) => {
    it("works: ADD, CHECK, DEL", async () => {
      const worker = await makeWorker(server, subject, { podCIDRs });
      const typeless = { config: { type: undefined } };
      expect(await worker.add(typeless)).toEqual(["10.1.0.2", "fd00:1::2"]);
      await worker.pass("CHECK", typeless);
      await worker.pass("DEL", typeless);
      expect([worker.leases(), worker.records()]).toEqual([{}, []]);
    });
  },
);

describeSubjects("a second ADD", (subject) => {
  const itCompiled = onlyCompiled(subject);

  const make = () => makeWorker(server, subject, { podCIDRs });

  it("is refused with 101 and the addresses, and the first one's leases stay", async () => {
    const worker = await make();
    await worker.add();
    for (const args of [undefined, "IgnoreUnknown=1;IP=10.1.0.77"]) {
      expect(await worker.fail("ADD", args === undefined ? {} : { args })).toMatchObject({
        code: 101,
        msg: "container c1 on interface eth0 of network net1 already has 10.1.0.2 and fd00:1::2",
        details: expect.stringContaining("DEL"),
      });
    }
    expect([worker.leases(), worker.records()]).toEqual([both, ["c1:eth0"]]);
    await worker.pass("CHECK");
  });

  it("with another gating doesn't free the first one's address, as bare host-local would", async () => {
    const worker = await make();
    const ipam = { "ipv4-namespaces": ["db"] };
    expect(await worker.add({ ipam, namespace: "web" })).toEqual(["fd00:1::2"]);
    expect(await worker.fail("ADD", { ipam, namespace: "db" })).toMatchObject({ code: 101 });
    expect(worker.leases()).toEqual({ "fd00:1::2": "c1 eth0" });
  });

  itCompiled("after DEL gets the next addresses", async () => {
    const worker = await make();
    await worker.add();
    await worker.pass("DEL");
    expect(await worker.add()).toEqual(["10.1.0.3", "fd00:1::3"]);
  });

  it("for another interface, container or network is none", async () => {
    const worker = await make();
    expect(await worker.add()).toEqual(["10.1.0.2", "fd00:1::2"]);
    expect(await worker.add({ ifname: "net1" })).toEqual(["10.1.0.3", "fd00:1::3"]);
    expect(await worker.add({ id: "c1.x" })).toEqual(["10.1.0.4", "fd00:1::4"]);
    expect(await worker.add({ config: { name: "net2" } })).toEqual(["10.1.0.2", "fd00:1::2"]);
    await worker.pass("DEL");
    expect(Object.values(worker.leases())).toEqual(["c1 net1", "c1.x eth0", "c1 net1", "c1.x eth0"]);
    expect(worker.leases("net2")).toEqual(both);
    expect([worker.records(), worker.records("net2")]).toEqual([["c1.x:eth0", "c1:net1"], ["c1:eth0"]]);
    await worker.pass("CHECK", { ifname: "net1" });
    await worker.fail("CHECK");
  });

  itCompiled("may follow one that failed in the delegate", async () => {
    const worker = await makeWorker(server, subject, { podCIDRs: ["10.1.0.0/30"] });
    await worker.add();
    const full = await worker.fail("ADD", { id: "c2" });
    expect(full).toMatchObject({ code: 999, msg: expect.stringContaining("no IP addresses available") });
    expect(worker.records()).toEqual(["c1:eth0"]);
    await worker.pass("DEL");
    expect(await worker.add({ id: "c2" })).toEqual(["10.1.0.2"]);
  });
});

describeSubjects("DEL and CHECK", (subject) => {
  it("go to the delegate that ADD went to, with what it got, whatever the configuration says now", async () => {
    const worker = await makeWorker(server, subject, { podCIDRs: ["10.1.0.0/24"] });
    const recorder = putRecorder(worker, subject, "recorder");
    const routes = [{ dst: "192.168.0.0/16" }];
    await worker.add({ ipam: { nextipam: "recorder", routes } });
    await worker.pass("CHECK");
    await worker.pass("DEL");
    expect(recorder.calls()).toEqual(["ADD", "CHECK", "DEL"]);
    for (const verb of ["CHECK", "DEL"])
      expect(recorder.stdin(verb)["ipam"]).toEqual(recorder.stdin("ADD")["ipam"]);
    expect([worker.leases(), worker.records()]).toEqual([{}, []]);
  });
});

describeHostLocals("20 ADDs at once for one container and interface", (subject) => {
  async function race(worker: Worker): Promise<string[]> {
    const answers = await Promise.all(Array.from({ length: 20 }, () => worker.call("ADD")));
    const winners = answers.filter(({ exitCode }) => exitCode === 0).map(addressesIn);
    const losers = answers.filter(({ exitCode }) => exitCode !== 0).map((answer) => readFailure(answer).code);
    expect(winners).toHaveLength(1);
    expect(losers).toHaveLength(19);
    expect(new Set([...losers, 11, 101])).toEqual(new Set([11, 101]));
    return winners[0] as string[];
  }
  const holding = (addresses: string[]) =>
    Object.fromEntries(addresses.map((address) => [address, "c1 eth0"]));

  it("exactly one wins, and keeps its leases", async () => {
    const worker = await makeWorker(server, subject, { podCIDRs });
    const won = await race(worker);
    expect([worker.leases(), worker.records()]).toEqual([holding(won), ["c1:eth0"]]);
    await worker.pass("DEL");
    expect([worker.leases(), worker.records()]).toEqual([{}, []]);
  });

  it("exactly one takes over what an earlier boot left", async () => {
    const worker = await makeWorker(server, subject, { podCIDRs });
    await worker.add();
    editJson(join(worker.state(), "attachments/c1:eth0"), { bootID: "an earlier one" });
    const won = await race(worker);
    expect(worker.leases()).toEqual(holding(won));
    await worker.pass("DEL");
    expect([worker.leases(), worker.records()]).toEqual([{}, []]);
  });

  it("exactly one wins in a store from before us, whose leases all get a record", async () => {
    const worker = await makeWorker(server, subject, { podCIDRs });
    for (const id of ["old1", "old2"]) addressesIn(await callHostLocal(subject, worker, "ADD", { id }));
    await race(worker);
    expect(worker.records()).toEqual(["c1:eth0", "old1:eth0", "old2:eth0"]);
  });
});
