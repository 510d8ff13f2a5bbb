// kube-node adopt: what nv-ipam and host-local leased before is taken over with what is known of it, and nothing on doubt.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { startRuntime } from "../agent/parts/runtime.ts";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { makeNamespace, removeNamespaces } from "../parts/namespace.ts";
import { callPlugin } from "../parts/plugin.ts";
import { checkout } from "../parts/tools.ts";
import { addressesIn } from "../real/parts/answers.ts";
import { callHostLocal } from "../real/parts/bare-host-local.ts";
import { nvIpamStoreOf, type OldEntry, putLibcniCache, putNvIpamStore } from "../real/parts/nv-ipam-store.ts";
import { makePooledWorker } from "../real/parts/pooled-worker.ts";
import { withMounts } from "../real/parts/private-mounts.ts";
import { describeHostLocals, type Subject } from "../real/parts/subjects.ts";
import { lack, transcript } from "./parts/node.ts";

const block = { subnet: "10.1.0.0/16", ranges: ["10.1.0.2-10.1.0.9"], gateway: "10.1.0.1" };
const old: OldEntry[] = [
  { id: "11aa22bb33cc44dd", ip: "10.1.0.2", pod: "web/nginx-0" },
  { id: "22bb33cc44dd55ee", ip: "10.1.0.3", pod: "web/nginx-1" },
  { id: "33cc44dd55ee66ff", ip: "10.1.0.4", pod: "shop/cart-0" },
  { id: "44dd55ee66ff7700", ip: "10.1.0.4", pod: "shop/cart-1" },
  { id: "55ee66ff77008811", ip: "10.9.0.4", pod: "shop/cart-2" },
];

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

type Report = {
  leases: { outcome: string; addresses: string[]; containerID: string; reason: string }[];
  failures: string[];
};

async function makeMachine(subject: Subject, entries: OldEntry[] = old) {
  const worker = await makePooledWorker(server, subject);
  await worker.give({ blocks: [block] });
  const store = putNvIpamStore(worker.machine.cni, nvIpamStoreOf(entries));
  const conf = join(worker.folder, "net1.conf");
  // Namespaces are where they are: in the machine's /run.
  const wrap = (command: string[]) => withMounts({ "/var/lib/cni": worker.machine.cni }, command);
  const ipam = { type: "nv-ipam", poolName: "a", kubeconfig: worker.kubeconfig };
  const config = { cniVersion: "1.0.0", name: "net1", type: "host-device" };
  writeFileSync(conf, JSON.stringify({ ...config, ipam: { ...ipam, dataDir: worker.dataDir } }));
  const adopt = (...words: string[]) =>
    callPlugin({
      command: wrap([
        ...subject.executable.command("kube-node"),
        ...["adopt", `--conf=${conf}`, "--conf-dir=/none", `--data-dir=${worker.dataDir}`, ...words],
      ]),
      env: { CNI_PATH: worker.path },
    });
  const report = async (...words: string[]) => (await adopt("-o", "json", ...words)).json as Report;
  const outcomes = ({ leases }: Report) =>
    Object.fromEntries(leases.map(({ containerID, outcome }) => [containerID.slice(0, 4), outcome]));
  const makePod = () => {
    const pod = makeNamespace("pod");
    onTestFinished(() => removeNamespaces([pod]));
    return pod;
  };
  return { ...worker, wrap, conf, store, ipam, adopt, report, outcomes, makePod };
}

describeHostLocals("kube-node adopt", (subject) => {
  describe.skipIf(lack.some)(`of nv-ipam's store${lack.words}`, () => {
    it("says what it would do and what is in doubt, does it, and has nothing to do then", async () => {
      const machine = await makeMachine(subject);
      const pod = machine.makePod();
      putLibcniCache(machine.machine.cni, { id: "11aa22bb33cc44dd", ip: "10.1.0.2", netns: pod.path });
      const line = ["adopt", "--dry-run", "--conf=net1.json"];
      const told = transcript(line, await machine.adopt("--dry-run"));
      expect((await machine.report("--dry-run", "--network=net1")).leases).toHaveLength(5);
      expect((await machine.report("--dry-run", "--network=net2")).leases).toEqual([]);
      await expect(told).toMatchFileSnapshot("golden/adopt.txt");
      expect(readFileSync(join(checkout, "docs/commands/kube-node.md"), "utf8")).toContain(told.trimEnd());
      expect([machine.leases(), machine.records()]).toEqual([{}, []]);
      const done = await machine.report();
      expect(machine.outcomes(done)).toEqual({
        "11aa": "taken",
        "22bb": "taken",
        "33cc": "doubt",
        "44dd": "doubt",
        "55ee": "doubt",
      });
      expect(machine.leases()).toEqual({
        "10.1.0.2": "11aa22bb33cc44dd net1",
        "10.1.0.3": "22bb33cc44dd55ee net1",
      });
      expect(machine.outcomes(await machine.report())).toEqual({
        "33cc": "doubt",
        "44dd": "doubt",
        "55ee": "doubt",
      });
      // An ADD has nothing to take over any more, and keeps off what is in doubt.
      const difference = { ifname: "net1", ipam: { ...machine.ipam } };
      expect(await machine.add(difference)).toEqual(["10.1.0.5"]);
    });

    it("--gone ends a doubt: the other one of two is taken over", async () => {
      const machine = await makeMachine(subject, old.slice(2, 4));
      await machine.report();
      const report = await machine.report("--gone=44dd55ee66ff7700");
      expect(machine.outcomes(report)).toEqual({ "33cc": "taken", "44dd": "ended" });
      expect(machine.leases()).toEqual({ "10.1.0.4": "33cc44dd55ee66ff net1" });
      expect((await machine.report()).leases).toEqual([]);
    });

    it("--gone takes an id's beginning as tables show it, and refuses what means none or several", async () => {
      const machine = await makeMachine(subject, [
        ...old.slice(2, 4),
        { id: "44dd55ee66ff77ff", ip: "10.1.0.8", pod: "shop/cart-3" },
      ]);
      for (const [word, says] of [
        ["44dd55ee66ff8", "no container with this id, or one that begins so, holds anything here"],
        ["44dd55ee66ff7", "several containers' ids begin so: 44dd55ee66ff7700, 44dd55ee66ff77ff"],
      ])
        expect(await machine.adopt(`--gone=${word}`)).toMatchObject({
          exitCode: 2,
          stderr: expect.stringContaining(`--gone=${word}: ${says}`),
        });
      expect([machine.leases(), machine.records()]).toEqual([{}, []]);
      const report = await machine.report("--gone=33cc44dd55ee6");
      expect(machine.outcomes(report)).toMatchObject({ "33cc": "ended", "44dd": "taken" });
      expect(machine.leases()).toMatchObject({ "10.1.0.4": "44dd55ee66ff7700 net1" });
    });

    it("waits for a block, and refuses a store that can't be understood, with the place", async () => {
      const machine = await makeMachine(subject);
      await machine.annotate("ippool.ipam.kube-node.io/a", null);
      expect(new Set(Object.values(machine.outcomes(await machine.report())))).toEqual(new Set(["waits"]));
      writeFileSync(machine.store, readFileSync(machine.store, "utf8").slice(0, 100));
      const answer = await machine.adopt();
      expect(answer).toMatchObject({ exitCode: 1 });
      expect(answer.stderr).toMatch(/network net1: nv-ipam's store .* line 1, column \d+: expected/);
    });
  });

  describe.skipIf(lack.some)(`of host-local's leases${lack.words}`, () => {
    it("gives records to those of whom libcni and their namespace tell, and leaves the others", async () => {
      const machine = await makeMachine(subject, []);
      for (const id of ["live", "lost", "moved"]) {
        const answer = await callPlugin({
          command: machine.wrap([subject.hostLocal.path]),
          ...{ verb: "ADD", containerID: id, ifname: "eth0", netns: "/var/run/netns/none" },
          path: subject.hostLocal.folder,
          stdin: {
            cniVersion: "1.0.0",
            name: "plain",
            ipam: { type: "host-local", dataDir: machine.dataDir, ranges: [[{ subnet: "10.7.0.0/24" }]] },
          },
        });
        addressesIn(answer);
      }
      const pod = machine.makePod();
      const cache = { ifname: "eth0", netns: pod.path };
      putLibcniCache(machine.machine.cni, { ...cache, id: "live", network: "plain", ip: "10.7.0.2" });
      putLibcniCache(machine.machine.cni, { ...cache, id: "moved", network: "other", ip: "10.7.0.4" });
      const before = machine.leases("plain");
      const words = ["--from=host-local", "--network=plain"];
      expect(machine.outcomes(await machine.report("--dry-run", ...words))).toEqual({
        live: "would",
        lost: "left",
        move: "doubt",
      });
      expect(machine.records("plain")).toEqual([]);
      expect(machine.outcomes(await machine.report(...words))).toEqual({
        live: "adopted",
        lost: "left",
        move: "doubt",
      });
      expect(machine.leases("plain")).toEqual(before);
      const shown = await callPlugin({
        command: machine.wrap([
          ...subject.executable.command("kube-node"),
          ...["show", "--network=plain", `--data-dir=${machine.dataDir}`, "--conf-dir=/none", "-o", "json"],
        ]),
      });
      const { networks } = shown.json as {
        networks: { leases: { containerID: string; state: string; pod: unknown }[] }[];
      };
      const states = networks[0]?.leases.map(({ containerID, state, pod: whose }) => [
        containerID,
        state,
        whose,
      ]);
      expect(states).toEqual([
        ["live", "live", { namespace: "web", name: "a", uid: "uid-live" }],
        ["lost", "unknown", null],
        ["moved", "unknown", null],
      ]);
      expect(machine.outcomes(await machine.report(...words))).toEqual({ lost: "left", move: "doubt" });
      // Their DEL is as before.
      const config = { name: "plain" };
      const ipam = { annotation: "example.com/plain" };
      for (const id of ["live", "lost"]) await machine.pass("DEL", { id, config, ipam });
      expect(Object.values(machine.leases("plain"))).toEqual(["moved eth0"]);
    });
  });

  it.skipIf(lack.some)(
    `of host-local's leases: records of those whose sandboxes the runtime has, with their pods; dry run first${lack.words}`,
    async () => {
      const machine = await makeMachine(subject, []);
      for (const id of ["ready", "ended", "gone"])
        addressesIn(await callHostLocal(subject, machine, "ADD", { id }));
      const { socket } = await startRuntime({ ready: "ready", ended: "not ready" });
      const words = ["--from=host-local", "--network=net1", `--cri-socket=${socket}`];
      const left = { ended: "left", gone: "left" };
      const [before, dry] = [machine.leases(), await machine.report("--dry-run", ...words)];
      expect(dry.leases.map(({ containerID, outcome, reason }) => [containerID, outcome, reason])).toEqual([
        ["ready", "would", "its sandbox is ready"],
        ["ended", "left", "nothing is known of its life"],
        ["gone", "left", "its runtime has no such sandbox"],
      ]);
      expect(machine.records()).toEqual([]);
      const done = await machine.report(...words);
      expect(done.leases.map(({ containerID, outcome }) => [containerID, outcome])).toContainEqual([
        "ready",
        "adopted",
      ]);
      expect(machine.leases()).toEqual(before);
      const records = join(machine.dataDir, ".kube-node/net1/attachments");
      const texts = readdirSync(records).map((name) => readFileSync(join(records, name), "utf8"));
      // Of the others it says no more than that they were there before us.
      const whole = texts.filter((text) => text.startsWith("{")).map((text) => JSON.parse(text));
      expect(whole).toHaveLength(1);
      expect(whole).toContainEqual(
        expect.objectContaining({
          containerID: "ready",
          pod: { namespace: "web", name: "a-pod", uid: "uid-1" },
        }),
      );
      expect(machine.outcomes(await machine.report(...words))).toEqual({
        ende: left.ended,
        gone: left.gone,
      });
    },
  );

  it.skipIf(lack.some)(`has nothing to do on a new machine${lack.words}`, async () => {
    const worker = await makePooledWorker(server, subject);
    mkdirSync(join(worker.folder, "conf"));
    const answer = await callPlugin({
      command: worker.wrap([
        ...subject.executable.command("kube-node"),
        ...["adopt", `--conf-dir=${join(worker.folder, "conf")}`],
      ]),
    });
    expect(answer).toMatchObject({ exitCode: 0, stdout: "", stderr: "there is nothing to take over\n" });
    const nowhere = await callPlugin({
      command: worker.wrap([
        ...subject.executable.command("kube-node"),
        ...["adopt", "--from=host-local", "--data-dir=/nope"],
      ]),
    });
    expect(nowhere).toMatchObject({
      exitCode: 1,
      stdout: "",
      stderr: expect.stringContaining("--data-dir /nope: there is no such folder"),
    });
  });
});
