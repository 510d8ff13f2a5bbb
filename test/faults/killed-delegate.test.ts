// SIGKILL for host-local in the place of each of its calls on the store: what it leaves half-made is let go in the end.
import { utimesSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { strace, whatLacks } from "../parts/tools.ts";
import { describeHostLocals } from "../real/parts/subjects.ts";
import { type Difference, makeWorker, type Worker } from "../real/parts/worker.ts";
import { callFor, collect } from "./parts/attachments.ts";
import { sample, sampled, soak } from "./parts/effort.ts";
import * as play from "./parts/stage.ts";
import { killedOn, type StoreCall, traceStore } from "./parts/strace-delegate.ts";

const lack = whatLacks(strace());
const podCIDRs = ["10.1.0.0/24", "fd00:1::/64"];
const usual: Difference = { config: { cniVersion: "1.0.0" } };
const call = callFor(play.mine, usual);
/** Seconds: longer than any call lives. */
const longAgo = 300;

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

function emptyLeases(worker: Worker): string[] {
  return Object.entries(worker.leases()).flatMap(([address, holder]) => (holder === "" ? [address] : []));
}

function makeOld(worker: Worker, addresses: string[]): void {
  const past = Date.now() / 1000 - longAgo;
  for (const address of addresses) utimesSync(join(worker.dataDir, "net1", address), past, past);
}

describeHostLocals(`host-local killed at each call on its store, ${sampled}`, (subject) => {
  const run = it.skipIf(lack.some).each(["ADD", "DEL"]);
  run(`%s${lack.words}`, { timeout: soak ? 900_000 : 180_000 }, async (verb) => {
    async function enter(): Promise<play.Stage> {
      const worker = await makeWorker(server, subject, { podCIDRs });
      return { worker, subject, live: new Map(), usual };
    }
    /** The same addresses each time, so that strace can be told of them. */
    async function prepare(stage: play.Stage): Promise<void> {
      play.startAfresh(stage);
      await play.addLiving(stage, ["live:eth0", "live:eth1"]);
      if (verb === "DEL") await play.addForgotten(stage, [play.mine]);
    }
    async function findCalls(): Promise<StoreCall[]> {
      const stage = await enter();
      await prepare(stage);
      return await traceStore(stage, verb, call);
    }
    /** DEL is good where all was freed before. */
    async function kill(stage: play.Stage, at: StoreCall): Promise<boolean> {
      for (let attempt = 1; attempt <= 10; attempt++) {
        await prepare(stage);
        const before = stage.worker.log().length;
        const answer = await killedOn(stage, verb, call, at);
        if (answer.exitCode !== 0) {
          expect(answer.json).toMatchObject({ code: 100, msg: expect.stringContaining("SIGKILL") });
          return true;
        }
        const said = stage.worker.log().slice(before);
        if (said.some(({ msg }) => msg.includes("there is nothing left to free"))) return true;
      }
      return false;
    }
    async function killAt(stage: play.Stage, at: StoreCall): Promise<void> {
      const { worker, live } = stage;
      const hit = await kill(stage, at);
      expect(hit, "it was not killed").toBe(true);
      const empty = emptyLeases(worker);
      await collect(worker, live, usual);
      expect(emptyLeases(worker), "GC leaves a young one alone: somebody may be about to write it").toEqual(
        empty,
      );
      makeOld(worker, empty);
      await play.recover(stage);
    }

    const calls = sample(await findCalls(), 4);
    expect(calls.length).toBeGreaterThan(0);
    await play.tryEach(calls, ({ kind, file, nth }) => `${kind} ${nth} of ${file}`, enter, killAt);
  });
});
