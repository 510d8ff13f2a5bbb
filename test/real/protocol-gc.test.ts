// GC by cni.dev/valid-attachments.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { addressesIn } from "./parts/answers.ts";
import { callHostLocal } from "./parts/bare-host-local.ts";
import { beginOutage } from "./parts/outage.ts";
import { makeOlderThanBoot } from "./parts/store.ts";
import { describeSubjects, onlyCompiled } from "./parts/subjects.ts";
import { makeWorker, type Worker } from "./parts/worker.ts";

const podCIDRs = ["10.1.0.0/24", "fd00:1::/64"];
const config = { cniVersion: "1.1.0" };
const three = ["c1:eth0", "c2:eth0", "c2:net1"];

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

/** GC's call with the attachments that are valid, as "container:interface". */
function keeping(...names: string[]) {
  const list = names.map((name) => ({ containerID: name.split(":")[0], ifname: name.split(":")[1] }));
  return { config: { ...config, "cni.dev/valid-attachments": list } };
}

describeSubjects("GC", (subject) => {
  const itCompiled = onlyCompiled(subject);

  /** c1 with one interface, c2 with two. */
  async function makeThree(): Promise<Worker> {
    const worker = await makeWorker(server, subject, { podCIDRs });
    for (const [id = "", ifname = ""] of three.map((name) => name.split(":")))
      await worker.add({ id, ifname });
    return worker;
  }
  const holders = (worker: Worker) => [...new Set(Object.values(worker.leases()))].sort();

  itCompiled("does nothing where no attachments are listed", async () => {
    const worker = await makeThree();
    for (const absent of [{}, { "cni.dev/valid-attachments": null }]) {
      await worker.pass("GC", { config: { ...config, ...absent } });
      expect(Object.keys(worker.leases())).toHaveLength(6);
      expect(worker.records()).toEqual(three);
    }
  });

  it("frees everything where the list is empty, without asking the API server", async () => {
    const worker = await makeThree();
    const asked = worker.requests();
    await beginOutage(server);
    await worker.pass("GC", keeping());
    expect([worker.leases(), worker.records(), worker.requests()]).toEqual([{}, [], asked]);
    await worker.pass("GC", keeping());
  });

  it("keeps what is listed, by container and interface", async () => {
    const worker = await makeThree();
    await worker.pass("GC", keeping("c2:net1", "c1:other", "c9:eth0"));
    expect([holders(worker), worker.records()]).toEqual([["c2 net1"], ["c2:net1"]]);
    await worker.pass("CHECK", { id: "c2", ifname: "net1" });
  });

  itCompiled("keeps an interface whose name has a tilde, and frees it later", async () => {
    const worker = await makeThree();
    await worker.add({ id: "c3", ifname: "eth~1" });
    await worker.pass("GC", keeping("c3:eth~1"));
    expect([holders(worker), worker.records()]).toEqual([["c3 eth~1"], ["c3:eth~1"]]);
    await worker.pass("GC", keeping());
    expect([worker.leases(), worker.records()]).toEqual([{}, []]);
  });

  it("frees leases without a record, and records without a lease or damaged", async () => {
    const worker = await makeThree();
    const record = (name: string) => join(worker.state(), "attachments", name);
    rmSync(record("c1:eth0"));
    writeFileSync(record("c2:eth0"), "");
    writeFileSync(record("c8:eth0"), readFileSync(record("c2:net1"), "utf8").replaceAll('"c2"', '"c8"'));
    await worker.pass("GC", keeping("c2:net1"));
    expect([holders(worker), worker.records()]).toEqual([["c2 net1"], ["c2:net1"]]);
  });

  itCompiled("frees an address whose lease was never written", async () => {
    const worker = await makeThree();
    const path = join(worker.dataDir, "net1/10.1.0.9");
    writeFileSync(path, "");
    await worker.pass("GC", keeping(...three));
    expect(worker.leases()).toHaveProperty(["10.1.0.9"], ""); // Somebody may be at work on it.
    makeOlderThanBoot(path);
    await worker.pass("GC", keeping(...three));
    expect(Object.keys(worker.leases())).toHaveLength(6);
  });

  itCompiled("frees what bare host-local leased, were there nothing of ours", async () => {
    const worker = await makeWorker(server, subject, { podCIDRs });
    for (const id of ["old1", "old2"]) addressesIn(await callHostLocal(subject, worker, "ADD", { id }));
    await worker.pass("GC", keeping("old2:eth0"));
    expect(worker.leases()).toEqual({ "10.1.0.3": "old2 eth0" });
  });

  itCompiled("leaves other networks of the dataDir alone", async () => {
    const worker = await makeThree();
    await worker.add({ config: { name: "net2" } });
    await worker.pass("GC", keeping());
    expect([Object.values(worker.leases("net2")), worker.records("net2")]).toEqual([
      ["c1 eth0", "c1 eth0"],
      ["c1:eth0"],
    ]);
  });

  it("goes on where one release fails, and says which", async () => {
    const worker = await makeThree();
    const stubborn = `#!/bin/sh
[ "$CNI_CONTAINERID:$CNI_IFNAME" != c2:eth0 ] || { cat >/dev/null; echo '{"code": 5, "msg": "disk on fire"}'; exit 1; }
exec '${subject.hostLocal.path}'
`;
    const path = worker.putProgram("host-local", stubborn);
    expect(await worker.fail("GC", keeping())).toMatchObject({
      cniVersion: "1.1.0",
      code: 100,
      msg: "1 of 3 attachments could not be released",
      details: expect.stringContaining("c2 eth0: disk on fire"),
    });
    expect([holders(worker), worker.records()]).toEqual([["c2 eth0"], ["c2:eth0"]]);
    rmSync(path);
    await worker.pass("GC", keeping());
    expect([worker.leases(), worker.records()]).toEqual([{}, []]);
  });

  itCompiled("says so where a release reports success and frees nothing", async () => {
    const worker = await makeThree();
    worker.putProgram("host-local", "#!/bin/sh\ncat >/dev/null\n");
    expect(await worker.fail("GC", keeping("c2:net1"))).toMatchObject({
      code: 100,
      msg: "2 of 2 attachments could not be released",
    });
  });

  itCompiled("with a malformed list frees nothing: 7", async () => {
    const worker = await makeThree();
    for (const list of ["all", {}, ["c1"], [{ containerID: "c1" }], [{ containerID: 1, ifname: "eth0" }]]) {
      const call = { config: { ...config, "cni.dev/valid-attachments": list } };
      expect(await worker.fail("GC", call)).toMatchObject({
        code: 7,
        details: expect.stringContaining("freed"),
      });
    }
    expect(worker.records()).toEqual(three);
  });

  it("goes to another delegate as it is, with its list", async () => {
    const worker = await makeWorker(server, subject, { podCIDRs });
    const result = '{"cniVersion": "1.1.0", "ips": [{"address": "10.1.0.9/24"}]}';
    const other = `#!/bin/sh\necho "$CNI_COMMAND" >>'${worker.folder}/verbs'\ncat >'${worker.folder}/stdin'\n`;
    worker.putProgram("other", `${other}[ "$CNI_COMMAND" != ADD ] || echo '${result}'\n`);
    const ipam = { nextipam: "other", routes: [{ dst: "192.168.0.0/16" }] };
    for (const id of ["c1", "c2"]) await worker.add({ ipam, config, id });
    await worker.pass("GC", { ...keeping("c2:eth0"), ipam });
    expect(readFileSync(join(worker.folder, "verbs"), "utf8")).toBe("ADD\nADD\nGC\n");
    expect(JSON.parse(readFileSync(join(worker.folder, "stdin"), "utf8"))).toMatchObject({
      ...keeping("c2:eth0").config,
      ipam: { type: "other", routes: ipam.routes },
    });
    expect(worker.records()).toEqual(["c2:eth0"]);
  });

  itCompiled("is DELs where another delegate knows no GC", async () => {
    const worker = await makeWorker(server, subject, { podCIDRs });
    const old = `#!/bin/sh
[ "$CNI_COMMAND" != GC ] || { cat >/dev/null; echo '{"code": 4, "msg": "unknown CNI_COMMAND: GC"}'; exit 1; }
exec '${subject.hostLocal.path}'
`;
    worker.putProgram("other", old);
    const ipam = { nextipam: "other" };
    for (const id of ["c1", "c2"]) await worker.add({ ipam, id });
    await worker.pass("GC", { ...keeping("c2:eth0"), ipam });
    expect([holders(worker), worker.records()]).toEqual([["c2 eth0"], ["c2:eth0"]]);
  });
});
