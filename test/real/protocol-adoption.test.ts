// Leases that bare host-local gave before us: they count as any others.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { addressesIn } from "./parts/answers.ts";
import { callHostLocal } from "./parts/bare-host-local.ts";
import { makeOlderThanBoot } from "./parts/store.ts";
import { describeSubjects, onlyCompiled } from "./parts/subjects.ts";
import { makeWorker, type Worker } from "./parts/worker.ts";

const podCIDRs = ["10.1.0.0/24", "fd00:1::/64"];
const both = { "10.1.0.2": "c1 eth0", "fd00:1::2": "c1 eth0" };

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

describeSubjects("leases from before us", (subject) => {
  const itCompiled = onlyCompiled(subject);

  /** What bare host-local gave c1; our first ADD, for c2, adopts it. */
  async function makeOld(): Promise<Worker> {
    const worker = await makeWorker(server, subject, { podCIDRs });
    addressesIn(await callHostLocal(subject, worker, "ADD", { subnets: podCIDRs }));
    await worker.add({ id: "c2" });
    return worker;
  }
  const others = { "10.1.0.3": "c2 eth0", "fd00:1::3": "c2 eth0" };

  it("are adopted: a second ADD for them is refused, CHECK and DEL work", async () => {
    const worker = await makeOld();
    expect(worker.records()).toEqual(["c1:eth0", "c2:eth0"]);
    expect(await worker.fail("ADD")).toMatchObject({
      code: 101,
      msg: expect.stringContaining("already has 10.1.0.2 and fd00:1::2"),
    });
    expect(worker.leases()).toEqual({ ...both, ...others });
    await worker.pass("CHECK");
    await worker.pass("DEL");
    expect([worker.leases(), worker.records()]).toEqual([others, ["c2:eth0"]]);
  });

  itCompiled("are refused a second ADD, were it our very first", async () => {
    const worker = await makeWorker(server, subject, { podCIDRs });
    addressesIn(await callHostLocal(subject, worker, "ADD"));
    expect(await worker.fail("ADD")).toMatchObject({ code: 101 });
    expect(worker.leases()).toEqual({ "10.1.0.2": "c1 eth0" });
  });

  it("are freed by a DEL that comes before any ADD", async () => {
    const worker = await makeWorker(server, subject, { podCIDRs });
    addressesIn(await callHostLocal(subject, worker, "ADD", { subnets: podCIDRs }));
    await worker.pass("CHECK");
    await worker.pass("DEL");
    expect([worker.leases(), worker.requests()]).toEqual([{}, []]);
  });

  itCompiled("of an earlier boot don't stop an ADD", async () => {
    const worker = await makeOld();
    for (const address of Object.keys(both)) {
      makeOlderThanBoot(join(worker.dataDir, "net1", address));
    }
    expect(await worker.add()).toEqual(["10.1.0.4", "fd00:1::4"]);
    expect(worker.leases()).toEqual({ ...others, "10.1.0.4": "c1 eth0", "fd00:1::4": "c1 eth0" });
    await worker.pass("DEL");
    expect([worker.leases(), worker.records()]).toEqual([others, ["c2:eth0"]]);
  });

  describe("in the form of old releases, the container's id alone", () => {
    /** c1 holds the only address of old times; our first ADD, for c2, adopts it. */
    async function makeVeryOld({ adopted = true } = {}): Promise<Worker> {
      const worker = await makeWorker(server, subject, { podCIDRs: [...podCIDRs].reverse() });
      mkdirSync(join(worker.dataDir, "net1"), { recursive: true });
      writeFileSync(join(worker.dataDir, "net1/10.1.0.2"), "c1");
      if (adopted) expect(await worker.add({ id: "c2" })).toEqual(["fd00:1::2", "10.1.0.3"]);
      return worker;
    }
    const rest = { "10.1.0.3": "c2 eth0", "fd00:1::2": "c2 eth0" };

    itCompiled("are freed by a DEL that comes before any ADD", async () => {
      const worker = await makeVeryOld({ adopted: false });
      await worker.pass("DEL");
      expect([worker.leases(), worker.records()]).toEqual([{}, []]);
    });

    itCompiled("are adopted: DEL frees them", async () => {
      const worker = await makeVeryOld();
      await worker.pass("DEL");
      expect([worker.leases(), worker.records()]).toEqual([rest, ["c2:eth0"]]);
    });

    it("are adopted: a second ADD is refused, and the address stays", async () => {
      const worker = await makeVeryOld();
      expect(await worker.fail("ADD")).toMatchObject({ code: 101, msg: expect.stringContaining("10.1.0.2") });
      expect(worker.leases()).toEqual({ ...rest, "10.1.0.2": "c1" });
    });

    itCompiled("are adopted: GC frees them where the container is no more", async () => {
      const worker = await makeVeryOld();
      const collect = (...ids: string[]) => {
        const list = ids.map((containerID) => ({ containerID, ifname: "eth0" }));
        return worker.pass("GC", { config: { cniVersion: "1.1.0", "cni.dev/valid-attachments": list } });
      };
      await collect("c1", "c2");
      expect(worker.leases()).toEqual({ ...rest, "10.1.0.2": "c1" });
      await collect("c2");
      expect([worker.leases(), worker.records()]).toEqual([rest, ["c2:eth0"]]);
    });
  });
});
