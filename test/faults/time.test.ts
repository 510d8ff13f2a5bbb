// No call outlives its timeout, whatever its delegate or another call does; and none cuts its delegate short before.
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import type { PluginAnswer } from "../parts/plugin.ts";
import { firstProgram, inPath, whatLacks } from "../parts/tools.ts";
import { wordsOf } from "../real/parts/answers.ts";
import { describeHostLocals, type Subject } from "../real/parts/subjects.ts";
import { type Difference, makeWorker } from "../real/parts/worker.ts";
import { addTo, callFor, expectOnly, keeping } from "./parts/attachments.ts";
import { soak } from "./parts/effort.ts";
import * as play from "./parts/stage.ts";
import { until, untilIdle } from "./parts/wait.ts";

const podCIDRs = ["10.1.0.0/24", "fd00:1::/64"];
const timeouts = soak ? [2, 3, 6] : [2];
/** Milliseconds: the process has to start, on a machine that is busy with other tests. */
const margin = 1900;

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

const usual = { config: { cniVersion: "1.1.0" } };
const within = (timeout: number, call: Difference): Difference => ({ ...call, ipam: { timeout } });

async function makeStage(subject: Subject, cidrs = podCIDRs): Promise<play.Stage> {
  const worker = await makeWorker(server, subject, { podCIDRs: cidrs });
  const stage: play.Stage = { worker, subject, live: new Map(), usual };
  await play.addLiving(stage, ["live:eth0"]);
  return stage;
}

/** Ended within its time, by itself, with the code. */
function expectInTime(answer: PluginAnswer, timeout: number, code: number): void {
  expect(answer.milliseconds, wordsOf(answer)).toBeLessThan(timeout * 1000 + margin);
  expect(answer.json, wordsOf(answer)).toMatchObject({ code });
}

/** Puts a script before the real host-local, for some verbs. Gives what takes it away. */
function putBefore({ worker, subject }: play.Stage, verbs: string, script: string): () => void {
  const text = `#!/bin/sh\ncase "$CNI_COMMAND" in ${verbs}) ${script} ;; esac\nexec '${subject.hostLocal.path}'\n`;
  const path = worker.putProgram("host-local", text);
  return () => rmSync(path);
}

const hangs = [
  { how: "hangs", script: "exec sleep 8" },
  { how: "ignores SIGTERM", script: "trap '' TERM; while :; do sleep 0.2; done" },
  { how: "leaves its output to a child that hangs", script: "sleep 8 2>/dev/null & exit 1" },
  { how: "hangs in the middle of its answer", script: "printf '{\"cniVersion\":'; exec sleep 8" },
].flatMap((hang) => timeouts.map((timeout) => ({ ...hang, timeout })));

describeHostLocals("a host-local that", (subject) => {
  /** What is called, who it is for, and what of host-local hangs. */
  const calls = [
    { verb: "ADD", name: play.mine, hanging: "ADD" },
    { verb: "CHECK", name: "gone:eth0", hanging: "CHECK" },
    { verb: "DEL", name: "gone:eth0", hanging: "DEL" },
    { verb: "GC", name: "", hanging: "DEL" },
  ];
  it.each(hangs)(
    "$how is given up within $timeout s, and the next call works",
    { timeout: 60_000 },
    async (hang) => {
      async function tryVerb({ verb, name, hanging }: (typeof calls)[number]): Promise<void> {
        const stage = await makeStage(subject);
        await play.addForgotten(stage, ["gone:eth0", "gone:eth1"]);
        const takeAway = putBefore(stage, hanging, hang.script);
        const call = name === "" ? { config: keeping(["live:eth0"]) } : callFor(name, usual);
        expectInTime(await stage.worker.call(verb, within(hang.timeout, call)), hang.timeout, 100);
        takeAway();
        await play.recover(stage);
      }
      await Promise.all(calls.map(tryVerb));
    },
  );

  it("hangs as soon as it is asked anything: STATUS says so", async () => {
    const stage = await makeStage(subject);
    putBefore(stage, "*", "exec sleep 8");
    expectInTime(await stage.worker.call("STATUS", within(2, usual)), 2, 50);
  });

  it("hangs at each of many dead that are to make room: the ADD is given up in time", async () => {
    const stage = await makeStage(subject, ["10.1.0.0/28"]);
    const ids = Array.from({ length: 12 }, (_, index) => `dead${index}:eth0`);
    await play.addDead(stage, ids);
    putBefore(stage, "DEL", "trap '' TERM; while :; do sleep 0.2; done");
    const answer = await stage.worker.call("ADD", within(2, callFor(play.mine, usual)));
    expect(answer.milliseconds, wordsOf(answer)).toBeLessThan(2000 + margin);
    expect(answer.exitCode, wordsOf(answer)).toBe(1);
  });

  it("takes its time is let, while there is some", async () => {
    const stage = await makeStage(subject);
    const { worker, live } = stage;
    putBefore(stage, "ADD | DEL", "sleep 1");
    const call = within(5, usual);
    await addTo(live, worker, play.mine, call);
    await worker.pass("DEL", callFor(play.mine, call));
    live.delete(play.mine);
    expectOnly(worker, live);
  });

  it("frees slowly: GC does what it can in its time, and the next ones the rest", {
    timeout: 60_000,
  }, async () => {
    const stage = await makeStage(subject);
    const { worker, live } = stage;
    const ids = ["a", "b", "c", "d", "e", "f"].map((id) => `${id}:eth0`);
    await play.addForgotten(stage, ids);
    putBefore(stage, "DEL", "sleep 0.4");
    const gc = () => worker.call("GC", within(2, { config: keeping([...live.keys()]) }));
    const first = await gc();
    expectInTime(first, 2, 100);
    expect(first.json).toMatchObject({ details: expect.stringContaining("the next GC") });
    for (let left = 6; (await gc()).exitCode !== 0; left--) expect(left).toBeGreaterThan(0);
    expectOnly(worker, live);
  });
});

const lacksFlock = whatLacks(firstProgram(inPath("flock"), "flock (package util-linux)"));

describeHostLocals("the store's lock, which somebody holds", (subject) => {
  /** Has it when this resolves. */
  async function holdLock({ worker }: play.Stage): Promise<{ letGo(): Promise<void> }> {
    const taken = join(worker.folder, "taken");
    const command = ["sh", "-c", `touch '${taken}'; exec sleep 20`];
    const holder = execa("flock", ["--no-fork", join(worker.dataDir, "net1/lock"), ...command], {
      reject: false,
    });
    const letGo = async () => {
      holder.kill("SIGKILL");
      await holder;
    };
    onTestFinished(letGo);
    await until("the lock is taken", () => existsSync(taken));
    return { letGo };
  }

  it.skipIf(lacksFlock.some)(`for a moment: host-local waits, and is let${lacksFlock.words}`, async () => {
    const stage = await makeStage(subject);
    const { letGo } = await holdLock(stage);
    setTimeout(() => void letGo(), 1000);
    await play.recover(stage);
  });

  it.skipIf(lacksFlock.some)(
    `for long: the calls end in time, and nothing comes of them later${lacksFlock.words}`,
    async () => {
      const stage = await makeStage(subject);
      const { worker, live } = stage;
      await play.addForgotten(stage, ["gone:eth0"]);
      const leases = worker.leases();
      const { letGo } = await holdLock(stage);
      const [add, del] = [callFor(play.mine, usual), callFor("gone:eth0", usual)].map((call) =>
        within(2, call),
      );
      for (const answer of await Promise.all([worker.call("ADD", add), worker.call("DEL", del)]))
        expectInTime(answer, 2, 100);
      await letGo();
      await untilIdle(worker);
      expect(worker.leases()).toEqual(leases);
      await play.recover(stage);
      expectOnly(worker, live);
    },
  );
});
