// Two calls in an order that is seldom: strace holds one of them (or host-local) up where it matters.
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { strace, whatLacks } from "../parts/tools.ts";
import { addressesIn, wordsOf } from "../real/parts/answers.ts";
import { describeHostLocals, type Subject } from "../real/parts/subjects.ts";
import { makeWorker } from "../real/parts/worker.ts";
import { addTo, callFor, expectOnly, expectOwned } from "./parts/attachments.ts";
import { killedAfter } from "./parts/crowd.ts";
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
      expect(await worker.fail("ADD", callFor(dead, usual))).toMatchObject({ code: 11 });
      live.set(play.mine, addressesIn(await making));
      await addTo(live, worker, dead, usual);

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
      const killed = worker.call("ADD", callFor(play.mine, { ...usual, wrap: killedAfter(600) }));
      await until("it has its first address", () => Object.values(worker.leases()).includes("mine eth0"));
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
