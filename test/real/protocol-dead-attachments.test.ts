// What is left of attachments that are no more: it doesn't stand in an ADD's way, and DEL lets go of it.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { editJson, makeOlderThanBoot } from "./parts/store.ts";
import { describeHostLocals, describeSubjects, onlyCompiled, rowsFor } from "./parts/subjects.ts";
import { makeWorker } from "./parts/worker.ts";

const podCIDRs = ["10.1.0.0/24", "fd00:1::/64"];

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

describeSubjects("an attachment of an earlier boot", (subject) => {
  it("doesn't stop an ADD, and its leases go", async () => {
    const worker = await makeWorker(server, subject, { podCIDRs });
    await worker.add();
    editJson(join(worker.state(), "attachments/c1:eth0"), { bootID: "an earlier one" });
    expect(await worker.add()).toEqual(["10.1.0.3", "fd00:1::3"]);
    expect(worker.leases()).toEqual({ "10.1.0.3": "c1 eth0", "fd00:1::3": "c1 eth0" });
    expect(await worker.fail("ADD")).toMatchObject({ code: 101 });
    await worker.pass("CHECK");
    await worker.pass("DEL");
    expect([worker.leases(), worker.records()]).toEqual([{}, []]);
  });
});

describeHostLocals("a container that outlives many boots without a DEL", (subject) => {
  it("gets addresses at each one, and in the end all is freed", async () => {
    const worker = await makeWorker(server, subject, { podCIDRs });
    const id = "0123456789abcdef".repeat(4);
    for (let boot = 0; boot < 20; boot++) {
      expect(await worker.add({ id })).toEqual([`10.1.0.${boot + 2}`, `fd00:1::${(boot + 2).toString(16)}`]);
      for (const record of worker.records()) {
        editJson(join(worker.state(), "attachments", record), { bootID: `boot ${boot}` });
      }
    }
    await worker.pass("DEL", { id });
    expect([worker.leases(), worker.records()]).toEqual([{}, []]);
  });
});

describeSubjects("an attachment without a lease", (subject) => {
  const itCompiled = onlyCompiled(subject);

  itCompiled(
    "may be another ADD's, at work: 11; it is taken over when no call can live that long",
    async () => {
      const worker = await makeWorker(server, subject, { podCIDRs: ["10.1.0.0/24"] });
      await worker.add();
      rmSync(join(worker.dataDir, "net1/10.1.0.2"));
      expect(await worker.fail("ADD")).toMatchObject({
        code: 11,
        msg: "another ADD is at work for container c1 on interface eth0 of network net1",
      });
      const path = join(worker.state(), "attachments/c1:eth0");
      const { uptime } = JSON.parse(readFileSync(path, "utf8")) as { uptime: number };
      editJson(path, { uptime: uptime - 241 });
      expect(await worker.add()).toEqual(["10.1.0.3"]);
      expect(worker.leases()).toEqual({ "10.1.0.3": "c1 eth0" });
    },
  );

  it("of a killed ADD is let go by DEL", async () => {
    const worker = await makeWorker(server, subject, { podCIDRs: ["10.1.0.0/24"] });
    worker.putProgram("host-local", "#!/bin/sh\ncat >/dev/null\nkill -KILL $PPID\n");
    expect((await worker.call("ADD")).signal).toBe("SIGKILL");
    worker.putProgram("host-local", `#!/bin/sh\nexec '${subject.hostLocal.path}'\n`);
    expect(await worker.fail("ADD")).toMatchObject({ code: 11, details: expect.stringContaining("DEL") });
    await worker.pass("DEL");
    expect(worker.records()).toEqual([]);
    expect(await worker.add()).toEqual(["10.1.0.2"]);
  });
});

describeSubjects("a damaged record", (subject) => {
  const itCompiled = onlyCompiled(subject);

  const damage = {
    "an empty file": "",
    "half of a document": '{"version":1,"contai',
    "another document": "{}",
  };

  it.each(rowsFor(subject, Object.entries(damage)))(
    "%s: a second ADD is refused, DEL frees and lets go",
    async (_, text) => {
      const worker = await makeWorker(server, subject, { podCIDRs });
      await worker.add();
      writeFileSync(join(worker.state(), "attachments/c1:eth0"), text);
      expect(await worker.fail("ADD")).toMatchObject({ code: 101 });
      await worker.pass("CHECK");
      await worker.pass("DEL");
      expect([worker.leases(), worker.records()]).toEqual([{}, []]);
      expect(await worker.add()).toEqual(["10.1.0.3", "fd00:1::3"]);
    },
  );

  itCompiled("of an earlier boot doesn't stop an ADD", async () => {
    const worker = await makeWorker(server, subject, { podCIDRs });
    await worker.add();
    const path = join(worker.state(), "attachments/c1:eth0");
    writeFileSync(path, "");
    makeOlderThanBoot(path);
    expect(await worker.add()).toEqual(["10.1.0.3", "fd00:1::3"]);
    expect(Object.keys(worker.leases())).toEqual(["10.1.0.3", "fd00:1::3"]);
    await worker.pass("DEL");
    expect([worker.leases(), worker.records()]).toEqual([{}, []]);
  });
});
