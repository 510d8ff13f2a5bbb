// GC and STATUS over host-locals of which some know neither, some report success and do nothing, and some free leases.
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { callPlugin } from "../parts/plugin.ts";
import { cnitool, whatLacks } from "../parts/tools.ts";
import { wordsOf } from "../real/parts/answers.ts";
import { callHostLocal } from "../real/parts/bare-host-local.ts";
import { installPrograms } from "../real/parts/install.ts";
import { privateMounts, withMounts } from "../real/parts/private-mounts.ts";
import { putRecorder } from "../real/parts/recorder.ts";
import { describeHostLocals } from "../real/parts/subjects.ts";
import { makeWorker, type Worker } from "../real/parts/worker.ts";
import * as attachments from "./parts/attachments.ts";
import { moveInto, openMountSpace } from "./parts/mount-space.ts";

const podCIDRs = ["10.1.0.0/24", "fd00:1::/64"];
const config = { cniVersion: "1.1.0" };
const three = ["a:eth0", "b:eth0", "c:eth0"];
const cannotMount = whatLacks(privateMounts());
const lacksCnitool = whatLacks(cnitool(), privateMounts());

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

describeHostLocals("GC", (subject) => {
  async function makeThree(): Promise<{ worker: Worker; live: attachments.Live }> {
    const worker = await makeWorker(server, subject, { podCIDRs });
    const live: attachments.Live = new Map();
    for (const name of three) await attachments.addTo(live, worker, name, { config });
    return { worker, live };
  }

  it("frees what isn't listed, whether host-local's own GC does or not", async () => {
    const { worker, live } = await makeThree();
    const all = worker.leases();
    live.delete("b:eth0");
    const own = await callPlugin({
      command: [subject.hostLocal.path],
      verb: "GC",
      path: worker.path,
      stdin: {
        name: "net1",
        ...attachments.keeping([...live.keys()]),
        ipam: { type: "host-local", dataDir: worker.dataDir, ranges: [[{ subnet: "10.1.0.0/24" }]] },
      },
    });
    // Old ones ask for a container before they say that they don't know the verb; later ones free nothing; 1.10.0 frees.
    if (own.exitCode !== 0) expect([3, 4], wordsOf(own)).toContain((own.json as { code: number }).code);
    const freed = Object.entries(all).filter(([, holder]) => holder !== "b eth0");
    expect([all, Object.fromEntries(freed)]).toContainEqual(worker.leases());
    await attachments.collect(worker, live);
    attachments.expectOnly(worker, live);
  });

  it("does so under whatever name it is the delegate", async () => {
    const worker = await makeWorker(server, subject, { podCIDRs });
    symlinkSync(subject.hostLocal.path, join(worker.bin, "other"));
    const usual = { config, ipam: { nextipam: "other" } };
    const live: attachments.Live = new Map();
    for (const name of three) await attachments.addTo(live, worker, name, usual);
    live.delete("b:eth0");
    await attachments.collect(worker, live, usual);
    attachments.expectOnly(worker, live);
  });

  it.each([
    ["no list", undefined],
    ["null", null],
  ])("with %s frees nothing, not even what is nobody's", async (_, list) => {
    const { worker, live } = await makeThree();
    await callHostLocal(subject, worker, "ADD", { id: "nobody" });
    const leases = worker.leases();
    await worker.pass("GC", { config: { ...config, "cni.dev/valid-attachments": list } });
    expect(worker.leases()).toEqual(leases);
    expect(worker.records()).toEqual([...live.keys()]);
  });

  it("keeps by container and interface, whatever else is listed", async () => {
    const { worker, live } = await makeThree();
    live.delete("a:eth0");
    const listed = [
      { containerID: "b", ifname: "eth0", netns: "/run/netns/b", extra: { deep: [1] } },
      { containerID: "b", ifname: "eth0" },
      { containerID: "c", ifname: "eth0" },
      { containerID: "a", ifname: "eth1" },
      { containerID: "unheard-of", ifname: "eth0" },
      { containerID: "../../etc", ifname: "a/b" },
      { containerID: "", ifname: "" },
    ];
    await worker.pass("GC", { config: { ...config, "cni.dev/valid-attachments": listed } });
    attachments.expectOnly(worker, live);
  });

  it("goes on where host-local dies of one, and says of which", async () => {
    const { worker, live } = await makeThree();
    const dying = `#!/bin/sh\n[ "$CNI_CONTAINERID" != b ] || kill -KILL $$\nexec '${subject.hostLocal.path}'\n`;
    worker.putProgram("host-local", dying);
    for (const name of ["a:eth0", "c:eth0"]) live.delete(name);
    const failure = await worker.fail("GC", { config: attachments.keeping([]) });
    expect(failure).toMatchObject({ code: 100, details: expect.stringMatching(/\bb eth0\b.*SIGKILL/) });
    attachments.expectOnly(worker, live);
  });

  it.skipIf(cannotMount.some)(
    `finds what a release left though it reported success${cannotMount.words}`,
    async () => {
      const { worker, live } = await makeThree();
      const space = await openMountSpace();
      const [stuck = ""] = live.get("b:eth0") ?? [];
      // What is a mount can't be removed; host-local passes over that.
      const path = join(worker.dataDir, "net1", stuck);
      await space.run('mount --bind "$1" "$1"', path);
      const failure = await moveInto(space, worker).fail("GC", { config: attachments.keeping([]) });
      expect(failure).toMatchObject({
        code: 100,
        msg: expect.stringContaining("1 of 3"),
        details: expect.stringContaining("b:eth0"),
      });
      expect(worker.leases()).toEqual({ [stuck]: "b eth0" });
      await worker.pass("GC", { config: attachments.keeping([]) });
      attachments.expectOnly(worker, new Map());
    },
  );

  it("goes on past leases of which nobody can say whose they are", async () => {
    const { worker, live } = await makeThree();
    const rubbish = {
      90: "no id at all\r\neth0",
      91: "a\0b\r\neth0",
      92: "\ud7ff\uffff\r\n\r\n",
      93: `${"x".repeat(5000)}\r\neth0`,
    };
    for (const [last, text] of Object.entries(rubbish))
      writeFileSync(join(worker.dataDir, "net1", `10.1.0.${last}`), text);
    live.delete("a:eth0");
    const answer = await worker.call("GC", { config: attachments.keeping([...live.keys()]) });
    if (answer.exitCode !== 0) expect(answer.json).toMatchObject({ code: 100 });
    attachments.expectOwned(worker, live);
    expect(Object.values(worker.leases())).not.toContain("a eth0");
    expect(worker.records()).toEqual([...live.keys()]);
  });

  it.skipIf(lacksCnitool.some)(
    `of libcni's, with kube-node as the plugin itself${lacksCnitool.words}`,
    async () => {
      const worker = await makeWorker(server, subject, { podCIDRs });
      installPrograms(subject, worker.bin);
      const folders = { NETCONFPATH: join(worker.folder, "net.d"), libcni: join(worker.folder, "libcni") };
      for (const folder of Object.values(folders)) mkdirSync(folder);
      const list = { ...config, name: "net1", plugins: [{ type: "kube-node", ipam: worker.ipam() }] };
      writeFileSync(join(folders.NETCONFPATH, "net1.conflist"), JSON.stringify(list));
      async function run(...words: string[]): Promise<void> {
        const command = withMounts({ "/var/lib/cni": folders.libcni }, [cnitool().path as string, ...words]);
        const answer = await callPlugin({
          command,
          path: worker.path,
          env: { NETCONFPATH: folders.NETCONFPATH },
        });
        expect(answer, wordsOf(answer)).toMatchObject({ exitCode: 0 });
      }
      for (const pod of ["one", "two"]) await run("add", "net1", `/var/run/netns/${pod}`);
      await run("status", "net1", "/var/run/netns/one");
      expect(worker.records()).toHaveLength(2);
      await run("gc", "net1", "/var/run/netns/one");
      attachments.expectOnly(worker, new Map());
    },
  );
});

describeHostLocals("STATUS", (subject) => {
  it("is asked of a host-local that knows it, and of no other", async () => {
    const worker = await makeWorker(server, subject, { podCIDRs });
    const recorder = putRecorder(worker, subject, "host-local");
    const versions = await callPlugin({ command: [subject.hostLocal.path], verb: "VERSION", stdin: {} });
    const knows = (versions.json as { supportedVersions: string[] }).supportedVersions.includes("1.1.0");
    for (let time = 0; time < 2; time++) await worker.pass("STATUS", { config });
    expect(recorder.calls().filter((verb) => verb !== "VERSION")).toEqual(knows ? ["STATUS", "STATUS"] : []);
    attachments.expectOnly(worker, new Map());
  });

  it("is good beside an ADD that waits for its host-local", async () => {
    const worker = await makeWorker(server, subject, { podCIDRs });
    await worker.add({ id: "first", config });
    const slow = `#!/bin/sh\n[ "$CNI_COMMAND" != ADD ] || sleep 1\nexec '${subject.hostLocal.path}'\n`;
    worker.putProgram("host-local", slow);
    const waiting = worker.call("ADD", { config });
    await worker.pass("STATUS", { config });
    expect(await waiting).toMatchObject({ exitCode: 0 });
    expect(worker.records()).toEqual(["c1:eth0", "first:eth0"]);
  });
});
