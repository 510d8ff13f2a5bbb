// Two calls in an order that is seldom: one of them (or host-local) is held up where it matters.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { callPlugin } from "../parts/plugin.ts";
import { strace, whatLacks } from "../parts/tools.ts";
import { addressesIn, wordsOf } from "../real/parts/answers.ts";
import { editJson } from "../real/parts/store.ts";
import { describeHostLocals, type Subject } from "../real/parts/subjects.ts";
import { makeWorker } from "../real/parts/worker.ts";
import { addTo, callFor, collect, expectOnly, expectOwned } from "./parts/attachments.ts";
import { holdUpDel, killable } from "./parts/held-up.ts";
import * as play from "./parts/stage.ts";
import { delayedAt, type SystemCall, traceCall } from "./parts/strace.ts";
import { holdUpAtLock } from "./parts/strace-delegate.ts";
import { readIfThere, until, untilIdle } from "./parts/wait.ts";

const lack = whatLacks(strace());
const usual = { config: { cniVersion: "1.1.0" } };
const dead = "dead:eth0";

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

async function makeStage(subject: Subject, podCIDRs: string[]): Promise<play.Stage> {
  return { worker: await makeWorker(server, subject, { podCIDRs }), subject, live: new Map(), usual };
}

describeHostLocals("while host-local's DEL is held up", (subject) => {
  /** Three who live and two who are dead fill the range. */
  async function fill(): Promise<play.Stage> {
    const stage = await makeStage(subject, ["10.1.0.0/29"]);
    await play.addLiving(stage, ["live:eth0", "live:eth1", "live:eth2"]);
    await play.addDead(stage, [dead, "dead:eth1"]);
    return stage;
  }

  /** Lets the late one come to work, too: each that lives has its leases and a record, and after GC nobody else has any. */
  async function expectUndisturbed({ worker, live, usual }: play.Stage): Promise<void> {
    await untilIdle(worker);
    expectOwned(worker, live);
    expect(worker.records()).toEqual(expect.arrayContaining([...live.keys()]));
    await collect(worker, live, usual);
    for (const name of live.keys()) await worker.pass("DEL", callFor(name, usual));
    expectOnly(worker, new Map());
  }

  it("and its caller killed: a later DEL waits, and what the ADD after it gets isn't freed", async () => {
    const stage = await makeStage(subject, ["10.1.0.0/24", "fd00:1::/64"]);
    const { worker, live } = stage;
    await play.addForgotten(stage, [play.mine]);
    const [held, { wrap, kill }] = [holdUpDel(stage, 2000), killable(worker.folder)];
    const killed = worker.call("DEL", callFor(play.mine, { ...usual, wrap }));
    await until("host-local was told", held.hasBegun);
    kill();
    held.free();
    await killed;
    await worker.pass("DEL", callFor(play.mine, usual));
    await addTo(live, worker, play.mine, usual);
    await expectUndisturbed(stage);
  }, 60_000);

  it("by an ADD that the dead make room for: a DEL and an ADD of the dead one wait for it", async () => {
    const stage = await fill();
    const { worker, live } = stage;
    const held = holdUpDel(stage, 2000);
    const making = worker.call("ADD", callFor(play.mine, usual));
    await until("host-local was told", held.hasBegun);
    held.free();
    await worker.pass("DEL", callFor(dead, usual));
    const again = await worker.call("ADD", callFor(dead, usual));
    const made = await making;
    if (again.exitCode === 0) live.set(dead, addressesIn(again));
    if (made.exitCode === 0) live.set(play.mine, addressesIn(made));
    expect(live.size, wordsOf(again) + wordsOf(made)).toBeGreaterThan(3);
    await expectUndisturbed(stage);
  }, 60_000);

  it("by an ADD that the dead make room for, and is killed: an ADD of the dead one waits for it", async () => {
    const stage = await fill();
    const { worker, live } = stage;
    const [held, { wrap, kill }] = [holdUpDel(stage, 2000), killable(worker.folder)];
    const killed = worker.call("ADD", callFor(play.mine, { ...usual, wrap }));
    await until("host-local was told", held.hasBegun);
    kill();
    held.free();
    await killed;
    await addTo(live, worker, dead, usual);
    await expectUndisturbed(stage);
  }, 60_000);

  it("by an audit that is killed: an ADD of the dead one waits for it", async () => {
    const stage = await fill();
    const { worker, live } = stage;
    const [held, { wrap, kill }] = [holdUpDel(stage, 2000), killable(worker.folder)];
    const killed = callPlugin({
      command: wrap([
        ...subject.executable.command("kube-node"),
        ...["audit", "--fix", `--data-dir=${worker.dataDir}`],
      ]),
      path: worker.path,
    });
    await until("host-local was told", held.hasBegun);
    kill();
    held.free();
    await killed;
    await addTo(live, worker, dead, usual);
    await expectUndisturbed(stage);
  }, 60_000);
});

describeHostLocals("a record's number of a process", (subject) => {
  it.each([
    ["of this boot: DEL waits for it, and ends it at last", {}, "SIGKILL"],
    ["of an earlier boot is another's by now: DEL lets it be", { bootID: "an earlier one" }, null],
  ])("%s", async (_, change, signal) => {
    const { worker } = await makeStage(subject, ["10.1.0.0/24"]);
    await worker.add(callFor(play.mine, usual));
    const env = { CNI_COMMAND: "DEL", CNI_CONTAINERID: "mine", CNI_IFNAME: "eth0" };
    const process = spawn("sleep", ["60"], { env: { PATH: "/usr/bin:/bin", ...env } });
    onTestFinished(() => void process.kill());
    editJson(join(worker.state(), "attachments", play.mine), { delegatePid: process.pid, ...change });
    await worker.pass("DEL", callFor(play.mine, { ...usual, ipam: { timeout: 2 } }));
    await pause(100);
    expect(process.signalCode).toBe(signal);
    expectOnly(worker, new Map());
  });
});

describeHostLocals("while one call is held up", (subject) => {
  describe.skipIf(lack.some)(`by strace${lack.words}`, () => {
    it("an ADD of a container that another one frees as dead: not before that is done, and then for good", async () => {
      const stage = await makeStage(subject, ["10.1.0.0/29"]);
      const { worker, live } = stage;
      await play.addLiving(stage, ["live:eth0", "live:eth1", "live:eth2"]);
      const fill = () => play.addDead(stage, [dead, "dead:eth1"]);
      const isRelease = ({ kind, words }: SystemCall) => kind === "unlink" && words.includes(`/${dead}"`);
      await fill();
      const release = (await traceCall(worker, "ADD", callFor(play.mine, usual))).find(isRelease);
      expect(release, "the record is removed").toBeDefined();
      await worker.pass("DEL", callFor(play.mine, usual));
      await fill();

      const log = join(worker.folder, "held-up");
      const wrap = delayedAt(release as SystemCall, 1500, log);
      const making = worker.call("ADD", callFor(play.mine, { ...usual, wrap }));
      const renamed = new RegExp(`rename\\(".*/attachments/${dead}:.*/attachments/${dead}"`);
      await until("the release lets go of its claim", () => renamed.test(readIfThere(log)));
      const waiting = worker.call("ADD", callFor(dead, usual));
      live.set(play.mine, addressesIn(await making));
      live.set(dead, addressesIn(await waiting));

      expectOwned(worker, live);
      expect(await worker.fail("ADD", callFor(dead, usual))).toMatchObject({ code: 101 });
      for (const name of live.keys()) await worker.pass("DEL", callFor(name, usual));
      live.clear();
      expectOnly(worker, live);
    });

    it("the host-local of a killed ADD doesn't free what the next ADD gets", {
      timeout: 60_000,
    }, async () => {
      const stage = await makeStage(subject, ["10.1.0.0/24", "fd00:1::/64"]);
      const { worker, live } = stage;
      await play.addLiving(stage, ["live:eth0"]);
      const free = holdUpAtLock(stage, 1500);
      const { wrap, kill } = killable(worker.folder);
      const killed = worker.call("ADD", callFor(play.mine, { ...usual, wrap }));
      await until("it has its first address", () => Object.values(worker.leases()).includes("mine eth0"));
      kill();
      free();
      const answer = await killed;
      expect(answer.stdout, wordsOf(answer)).toBe("");
      await worker.pass("DEL", callFor(play.mine, usual));
      const again = await worker.call("ADD", callFor(play.mine, usual));
      if (again.exitCode === 0) live.set(play.mine, addressesIn(again));
      await untilIdle(worker);
      expectOwned(worker, live);
    });
  });
});
