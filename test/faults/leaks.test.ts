// Where a range is full, an ADD frees the dead, once, and never the living: told apart by boot and network namespace.
import { type ChildProcess, spawn } from "node:child_process";
import { readlinkSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import * as net from "../parts/namespace.ts";
import { namespaces, whatLacks } from "../parts/tools.ts";
import { addressesIn } from "../real/parts/answers.ts";
import { privateMounts } from "../real/parts/private-mounts.ts";
import { editJson } from "../real/parts/store.ts";
import { describeHostLocals, type Subject } from "../real/parts/subjects.ts";
import { makeWorker, type Worker } from "../real/parts/worker.ts";
import { expectOwned, type Live } from "./parts/attachments.ts";
import { moveInto, openMountSpace } from "./parts/mount-space.ts";
import { until } from "./parts/wait.ts";

const lack = whatLacks(namespaces());
const cannotMount = whatLacks(namespaces(), privateMounts());
const full = { code: 999, msg: expect.stringContaining("no IP addresses available") };

/** A process namespace, where the ADD may be for a process of there. */
const elsewhere = ["unshare", "--pid", "--fork", "--mount-proc"];
const withPodOfItsOwn =
  'unshare --net sleep 60 & CNI_NETNS=/proc/$!/ns/net; export CNI_NETNS; sleep 0.3; "$@"';

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

/** A range of five addresses. */
const makeSmallWorker = (subject: Subject) => makeWorker(server, subject, { podCIDRs: ["10.1.0.0/29"] });

function makePod(): net.Namespace {
  const pod = net.makeNamespace();
  onTestFinished(() => net.removeNamespaces([pod]));
  return pod;
}

/** A process in a network namespace of its own, which nothing else names. */
async function startPod(): Promise<{ pid: number; path: string; end(): Promise<void> }> {
  const pod: ChildProcess = spawn("unshare", ["--net", "sh", "-c", "echo; exec sleep 300"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const ended = new Promise<void>((resolve) => pod.once("exit", () => resolve()));
  const end = async () => {
    pod.kill("SIGKILL");
    await ended;
  };
  onTestFinished(end);
  await new Promise((resolve) => pod.stdout?.once("data", resolve));
  return { pid: pod.pid as number, path: `/proc/${pod.pid}/ns/net`, end };
}

/** Whether a process is in another network namespace than this one. */
function isElsewhere(pid: number | undefined): boolean {
  return readlinkSync(`/proc/${pid}/ns/net`) !== readlinkSync("/proc/self/ns/net");
}

async function addIn(worker: Worker, live: Live, id: string, netns: string): Promise<void> {
  live.set(`${id}:eth0`, await worker.add({ id, netns }));
}

/** As a runtime does it: again after a DEL, a few times. */
async function addAtLast(worker: Worker, live: Live, id: string, netns: string): Promise<void> {
  for (let attempt = 1; attempt < 6; attempt++) {
    const answer = await worker.call("ADD", { id, netns });
    if (answer.exitCode === 0) return void live.set(`${id}:eth0`, addressesIn(answer));
    await worker.pass("DEL", { id });
  }
  await addIn(worker, live, id, netns);
}

const record = (worker: Worker, id: string) => join(worker.state(), "attachments", `${id}:eth0`);
const dayBefore = (worker: Worker, id: string) => editJson(record(worker, id), { bootID: "an earlier one" });

describeHostLocals("a full range", (subject) => {
  describe.skipIf(lack.some)(`with pods in namespaces${lack.words}`, () => {
    it("in which all live: nobody is freed, and the ADD fails as host-local says", async () => {
      const worker = await makeSmallWorker(subject);
      const live: Live = new Map();
      for (const id of ["a", "b", "c"]) await addIn(worker, live, id, makePod().path);
      for (const id of ["d", "e"]) await addIn(worker, live, id, (await startPod()).path);
      for (let attempt = 0; attempt < 3; attempt++) {
        expect(await worker.fail("ADD", { id: "f", netns: makePod().path })).toMatchObject(full);
        expectOwned(worker, live);
      }
    });

    it("in which some died: they make room, those beside them keep theirs", async () => {
      const worker = await makeSmallWorker(subject);
      const live: Live = new Map();
      const [lives, dies] = [makePod(), makePod()];
      const [runs, ends] = [await startPod(), await startPod()];
      await addIn(worker, live, "lives", lives.path);
      await addIn(worker, live, "runs", runs.path);
      await addIn(worker, live, "rebooted", lives.path);
      await addIn(worker, live, "dies", dies.path);
      await addIn(worker, live, "ends", ends.path);
      dayBefore(worker, "rebooted");
      net.removeNamespaces([dies]);
      await ends.end();
      for (const id of ["dies", "ends", "rebooted"]) live.delete(`${id}:eth0`);
      for (const id of ["new1", "new2", "new3"]) await addIn(worker, live, id, makePod().path);
      expectOwned(worker, live);
      expect(worker.records()).toEqual([...live.keys()].sort());
      expect(await worker.fail("ADD", { id: "new4", netns: makePod().path })).toMatchObject(full);
      expectOwned(worker, live);
    });

    it("whose records are missing, damaged, of a newer version, of nobody we know, or from before us: they are let be", async () => {
      const worker = await makeSmallWorker(subject);
      const live: Live = new Map();
      const pods = ["missing", "empty", "half", "newer", "foreign"].map((id) => ({ id, pod: makePod() }));
      for (const { id, pod } of pods) await addIn(worker, live, id, pod.path);
      rmSync(record(worker, "missing"));
      writeFileSync(record(worker, "empty"), "");
      writeFileSync(record(worker, "half"), '{"version":1,"contai');
      editJson(record(worker, "newer"), { version: 2, bootID: "whatever that means then" });
      writeFileSync(record(worker, "foreign"), "foreign\r\neth0");
      net.removeNamespaces(pods.map(({ pod }) => pod));
      expect(await worker.fail("ADD", { id: "new", netns: makePod().path })).toMatchObject(full);
      expectOwned(worker, live);
    });

    it("of which one path leads to another namespace now: who had the first one is dead", async () => {
      const worker = await makeSmallWorker(subject);
      const live: Live = new Map();
      const [other, again] = [makePod(), makePod()];
      for (const id of ["a", "b", "c", "d"]) await addIn(worker, live, id, makePod().path);
      await worker.add({ id: "dead", netns: again.path });
      await execa("umount", [again.path]);
      await execa("mount", ["--bind", other.path, again.path]);
      await addIn(worker, live, "new", again.path);
      expectOwned(worker, live);
    });

    it.each(["in /run/netns", "of a process"])(
      "with a pod whose namespace has lost its name %s, and in which programs run on: it lives",
      async (kind) => {
        const worker = await makeSmallWorker(subject);
        const live: Live = new Map();
        const [named, started] = [makePod(), await startPod()];
        const runsIn =
          kind === "of a process" ? [`--target=${started.pid}`, "--net"] : [`--net=${named.path}`];
        const program = execa("nsenter", [...runsIn, "sleep", "300"], { reject: false });
        onTestFinished(() => void program.kill("SIGKILL"));
        await addIn(worker, live, "nameless", kind === "of a process" ? started.path : named.path);
        for (const id of ["a", "b"]) await addIn(worker, live, id, makePod().path);
        for (const id of ["c", "d"]) await addIn(worker, live, id, (await startPod()).path);
        await until("the program runs there", () => isElsewhere(program.pid));
        if (kind === "of a process") await started.end();
        else net.removeNamespaces([named]);
        expect(await worker.fail("ADD", { id: "new", netns: makePod().path })).toMatchObject(full);
        expectOwned(worker, live);
      },
    );

    it("of dead pods, that host-local didn't free at first: the next ADD has them freed", async () => {
      const worker = await makeSmallWorker(subject);
      const live: Live = new Map();
      const pods = ["a", "b", "c", "d", "e"].map((id) => ({ id, pod: makePod() }));
      for (const { id, pod } of pods) await worker.add({ id, netns: pod.path });
      net.removeNamespaces(pods.map(({ pod }) => pod));
      const failing = `#!/bin/sh\n[ "$CNI_COMMAND" != DEL ] || { cat >/dev/null; echo '{"code": 5, "msg": "disk on fire"}'; exit 1; }\n`;
      const wrapper = worker.putProgram("host-local", `${failing}exec '${subject.hostLocal.path}'\n`);
      expect(await worker.fail("ADD", { id: "new", netns: makePod().path })).toMatchObject(full);
      rmSync(wrapper);
      for (const id of ["new1", "new2"]) await addIn(worker, live, id, makePod().path);
      expectOwned(worker, live);
    });

    it("of dead pods, and many ADDs at once: each gets an address, none gets another's", {
      timeout: 60_000,
    }, async () => {
      const worker = await makeSmallWorker(subject);
      const live: Live = new Map();
      const ids = ["a", "b", "c", "d", "e"];
      for (const id of ids) await worker.add({ id, netns: makePod().path });
      for (const id of ids) dayBefore(worker, id);
      const netns = makePod().path;
      await Promise.all(ids.map((id) => addAtLast(worker, live, `new-${id}`, netns)));
      expectOwned(worker, live);
      expect(worker.records()).toEqual([...live.keys()].sort());
    });
  });

  describe.skipIf(cannotMount.some)(`from a place where namespaces can't be seen${cannotMount.words}`, () => {
    it("an empty /run/netns: nobody is freed", async () => {
      const [worker, space] = [await makeSmallWorker(subject), await openMountSpace()];
      const live: Live = new Map();
      for (const id of ["a", "b", "c", "d", "e"]) await addIn(worker, live, id, makePod().path);
      await space.run("mount -t tmpfs none /run/netns");
      const there = moveInto(space, worker);
      for (const netns of [makePod().path, (await startPod()).path]) {
        expect(await there.fail("ADD", { id: "new", netns })).toMatchObject(full);
        expectOwned(worker, live);
      }
    });

    it("a /run/netns with namespaces of its own: nobody is freed", async () => {
      const [worker, space] = [await makeSmallWorker(subject), await openMountSpace()];
      const live: Live = new Map();
      for (const id of ["a", "b", "c", "d", "e"]) await addIn(worker, live, id, makePod().path);
      await space.run("mount -t tmpfs none /run/netns && ip netns add own");
      const failure = await moveInto(space, worker).fail("ADD", { id: "new", netns: "/run/netns/own" });
      expect(failure).toMatchObject(full);
      expectOwned(worker, live);
    });

    it("a /run/netns in which only the older namespaces are mounted: nobody is freed", async () => {
      const worker = await makeSmallWorker(subject);
      const live: Live = new Map();
      for (const id of ["a", "b"]) await addIn(worker, live, id, makePod().path);
      const early = makePod();
      const space = await openMountSpace();
      for (const id of ["c", "d", "e"]) await addIn(worker, live, id, makePod().path);
      const failure = await moveInto(space, worker).fail("ADD", { id: "new", netns: early.path });
      expect(failure).toMatchObject(full);
      expectOwned(worker, live);
    });

    it("a /proc of other processes: nobody is freed", async () => {
      const worker = await makeSmallWorker(subject);
      const live: Live = new Map();
      for (const id of ["a", "b", "c", "d", "e"]) await addIn(worker, live, id, (await startPod()).path);
      for (const script of ['"$@"', withPodOfItsOwn]) {
        const wrap = (command: string[]) => [...elsewhere, "sh", "-c", script, "sh", ...command];
        expect(await worker.fail("ADD", { id: "new", netns: makePod().path, wrap })).toMatchObject(full);
        expectOwned(worker, live);
      }
    });
  });
});
