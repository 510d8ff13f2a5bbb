// Many calls at once, some of them killed: no address is ever two's, and after GC none is lost.
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import type { PluginAnswer } from "../parts/plugin.ts";
import { addressesIn, readFailure } from "../real/parts/answers.ts";
import { editJson } from "../real/parts/store.ts";
import { describeHostLocals } from "../real/parts/subjects.ts";
import { makeWorker, type Worker } from "../real/parts/worker.ts";
import {
  addTo,
  callFor,
  expectOnly,
  expectOwned,
  keeping,
  type Live,
  leftovers,
} from "./parts/attachments.ts";
import { makeCrowd, type Place } from "./parts/crowd.ts";
import { makeRandom, repeat, seed, soak } from "./parts/effort.ts";
import { mine } from "./parts/stage.ts";
import { untilIdle } from "./parts/wait.ts";

const usual = { config: { cniVersion: "1.1.0" } };
const [calls, workers] = soak ? [2000, 64] : [300, 16];
const networks = ["net1", "net2", "net3"];
const places: Place[] = networks.flatMap((network) =>
  Array.from({ length: soak ? 24 : 8 }, (_, index) => [
    { network, name: `c${index}:eth0` },
    { network, name: `c${index}:net1` },
  ]).flat(),
);

const dangers = [
  { name: "none killed", share: 0, within: 0 },
  { name: "every third killed", share: 0.33, within: soak ? 400 : 100 },
];

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

describeHostLocals(`${calls} calls by ${workers} workers, FAULTS_SEED=${seed}`, (subject) => {
  it.each(dangers)("$name: none doubled, and after GC none lost", { timeout: 900_000 }, async (danger) => {
    const worker = await makeWorker(server, subject, { podCIDRs: ["10.1.0.0/24", "fd00:1::/64"] });
    const crowd = makeCrowd(worker, places, usual.config, danger);
    await repeat(calls, workers, crowd.act);
    await untilIdle(worker);
    expect(crowd.faults).toEqual([]);
    const { done, killed, failed } = crowd.calls;
    expect(done).toBe(calls);
    expect(killed).toBeGreaterThanOrEqual(danger.share * (calls / 10));
    // Only the host-local of a call that was killed, still at work, may have a later ADD refused.
    const refused =
      danger.share > 0 ? /^ADD .*(duplicate allocation|another ADD is at work|already has)/ : /^$/;
    expect(failed.filter((words) => !refused.test(words))).toEqual([]);
    for (const [network, live] of crowd.live) {
      expectOwned(worker, live, network);
      await worker.pass("GC", { config: { ...keeping([...live.keys()]), name: network } });
      expectOnly(worker, live, network);
      expect(leftovers(worker, network)).toEqual([]);
    }
  });
});

const rounds = soak ? 150 : 12;

describeHostLocals(`two calls for one container and interface at once, ${rounds} rounds`, (subject) => {
  const random = makeRandom();
  /** The second one starts now at once, now when the first is nearly done. */
  async function addTwice(worker: Worker): Promise<PluginAnswer[]> {
    const delay = random() * 40;
    const later = pause(delay).then(() => worker.call("ADD", callFor(mine, usual)));
    return await Promise.all([worker.call("ADD", callFor(mine, usual)), later]);
  }

  async function expectOneWinner(worker: Worker, others: Live): Promise<void> {
    const answers = await addTwice(worker);
    const [won = [], ...more] = answers.filter(({ exitCode }) => exitCode === 0).map(addressesIn);
    expect(more).toEqual([]);
    expect(won).toHaveLength(2);
    const [refused] = answers.filter(({ exitCode }) => exitCode !== 0).map(readFailure);
    expect([11, 101]).toContain(refused?.code);
    expectOwned(worker, new Map([...others, [mine, won]]));
  }

  // An IPv4 range with room for one more: where both went on, one would fail half-way and free what the other holds.
  const stages = [
    { name: "nobody holds it", before: async () => {} },
    {
      name: "an attachment of an earlier boot holds it",
      before: async (worker: Worker) => {
        await worker.add(callFor(mine, usual));
        editJson(join(worker.state(), "attachments", mine), { bootID: "an earlier one" });
      },
    },
  ];
  it.each(stages)("$name: one wins and keeps its addresses", { timeout: 300_000 }, async ({ before }) => {
    const worker = await makeWorker(server, subject, { podCIDRs: ["10.1.0.0/29", "fd00:1::/64"] });
    const others: Live = new Map();
    for (const id of ["c1", "c2", "c3", "c4"]) await addTo(others, worker, `${id}:eth0`, usual);
    for (let round = 0; round < rounds; round++) {
      await before(worker);
      await expectOneWinner(worker, others);
      await worker.pass("DEL", callFor(mine, usual));
      expectOnly(worker, others);
    }
  });

  it("an ADD and a DEL at once: a DEL after them leaves nothing of it", { timeout: 300_000 }, async () => {
    const worker = await makeWorker(server, subject, { podCIDRs: ["10.1.0.0/24", "fd00:1::/64"] });
    const others: Live = new Map();
    await addTo(others, worker, "other:eth0", usual);
    for (let round = 0; round < rounds; round++) {
      const adding = worker.call("ADD", callFor(mine, usual));
      await pause(random() * 40);
      await Promise.all([adding, worker.pass("DEL", callFor(mine, usual))]);
      await worker.pass("DEL", callFor(mine, usual));
      expectOnly(worker, others);
    }
  });
});
