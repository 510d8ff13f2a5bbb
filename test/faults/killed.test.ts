// SIGKILL in the place of each call that ADD, DEL and GC make themselves: nothing is doubled, and all is let go in the end.
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { strace, whatLacks } from "../parts/tools.ts";
import { describeHostLocals } from "../real/parts/subjects.ts";
import { type Difference, makeWorker } from "../real/parts/worker.ts";
import { callFor, keeping } from "./parts/attachments.ts";
import { sample, sampled, soak } from "./parts/effort.ts";
import * as play from "./parts/stage.ts";
import { isStep, killedAt, type SystemCall, traceCall } from "./parts/strace.ts";

const lack = whatLacks(strace());
const key = "example.com/ranges";
const podCIDRs = ["10.1.0.0/24", "fd00:1::/64"];

type Scenario = {
  name: string;
  verb: "ADD" | "DEL" | "GC";
  ipam?: Record<string, unknown>;
  annotation?: string;
  /** Who lives from the beginning on. */
  living: string[];
  /** Before each call that is killed. */
  prepare(stage: play.Stage): Promise<void>;
};

const two = ["live:eth0", "live:eth1"];
const scenarios: Scenario[] = [
  {
    name: "the first ADD on a machine",
    verb: "ADD",
    living: [],
    prepare: async (stage) => play.startAfresh(stage),
  },
  { name: "a later ADD", verb: "ADD", living: two, prepare: async () => {} },
  {
    name: "an ADD that asks the API server",
    verb: "ADD",
    ipam: { annotation: key },
    annotation: podCIDRs.join(),
    living: two,
    prepare: async () => {},
  },
  {
    name: "an ADD that adopts the store of host-local alone",
    verb: "ADD",
    living: [],
    prepare: play.leaseAsBefore,
  },
  {
    name: "an ADD of a container that lived before a reboot",
    verb: "ADD",
    living: two,
    prepare: (stage) => play.addDead(stage, [play.mine]),
  },
  {
    name: "an ADD that the dead make room for",
    verb: "ADD",
    ipam: { annotation: key, cacheTTL: 3600 },
    annotation: "10.1.0.0/29",
    living: [...two, "live:eth2"],
    prepare: (stage) => play.addDead(stage, ["dead1:eth0", "dead2:eth0"]),
  },
  { name: "DEL", verb: "DEL", living: two, prepare: (stage) => play.addForgotten(stage, [play.mine]) },
  {
    name: "GC",
    verb: "GC",
    living: two,
    prepare: (stage) => play.addForgotten(stage, [play.mine, "other:eth1"]),
  },
];

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

describeHostLocals(`killed at each call of its own, ${sampled}`, (subject) => {
  const run = it.skipIf(lack.some).each(scenarios);
  run(`$name${lack.words}`, { timeout: soak ? 900_000 : 180_000 }, async (scenario) => {
    const { verb, ipam, annotation, living, prepare } = scenario;
    const annotations = annotation === undefined ? {} : { [key]: annotation };
    const usual: Difference = { config: { cniVersion: "1.1.0" }, ...(ipam && { ipam }) };

    async function enter(): Promise<play.Stage> {
      const worker = await makeWorker(server, subject, { podCIDRs, annotations });
      const stage: play.Stage = { worker, subject, live: new Map(), usual };
      await play.addLiving(stage, living);
      return stage;
    }
    function callOf({ live }: play.Stage): Difference {
      return verb === "GC" ? { ...usual, config: keeping([...live.keys()]) } : callFor(play.mine, usual);
    }
    async function findSteps(): Promise<SystemCall[]> {
      const stage = await enter();
      await prepare(stage);
      return (await traceCall(stage.worker, verb, callOf(stage))).filter(isStep);
    }
    let missed = 0;
    /** A call that waits for another program makes now one call more, now one less: then it may have ended before. */
    async function killAt(stage: play.Stage, step: SystemCall): Promise<void> {
      await prepare(stage);
      const wrap = killedAt(step, join(stage.worker.folder, "killed"));
      const answer = await stage.worker.call(verb, { ...callOf(stage), wrap });
      if (answer.signal !== "SIGKILL") missed++;
      await play.recover(stage);
    }

    const steps = sample(await findSteps(), 5);
    expect(steps.length).toBeGreaterThan(0);
    await play.tryEach(steps, ({ kind, nth, words }) => `${words} (${kind} ${nth})`, enter, killAt);
    expect(missed, "calls that were not killed").toBeLessThan(steps.length / 4 + 1);
  });
});
