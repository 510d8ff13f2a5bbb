// Each file call fails once: the call says so in CNI's words, nothing half-made counts as good, and the next call works.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { listFolder } from "../../src/host/files.ts";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import type { PluginAnswer } from "../parts/plugin.ts";
import { strace, whatLacks } from "../parts/tools.ts";
import { wordsOf } from "../real/parts/answers.ts";
import { describeHostLocals } from "../real/parts/subjects.ts";
import { type Difference, makeWorker, type Worker } from "../real/parts/worker.ts";
import { callFor, keeping } from "./parts/attachments.ts";
import { sample, sampled, soak } from "./parts/effort.ts";
import * as play from "./parts/stage.ts";
import { failingAt, type SystemCall, traceCall } from "./parts/strace.ts";

const lack = whatLacks(strace());
const key = "example.com/ranges";
const podCIDRs = ["10.1.0.0/24", "fd00:1::/64"];

type Scenario = {
  name: string;
  verb: "ADD" | "DEL" | "GC";
  ipam?: Record<string, unknown>;
  prepare(stage: play.Stage): Promise<void>;
};

const living = ["live:eth0"];
const scenarios: Scenario[] = [
  { name: "the first ADD on a machine", verb: "ADD", prepare: async (stage) => play.startAfresh(stage) },
  {
    name: "an ADD that asks the API server",
    verb: "ADD",
    ipam: { annotation: key },
    prepare: async () => {},
  },
  { name: "an ADD that adopts the store of host-local alone", verb: "ADD", prepare: play.leaseAsBefore },
  {
    name: "an ADD of a container that lived before a reboot",
    verb: "ADD",
    prepare: (stage) => play.addDead(stage, [play.mine]),
  },
  { name: "DEL", verb: "DEL", prepare: (stage) => play.addForgotten(stage, [play.mine]) },
  { name: "GC", verb: "GC", prepare: (stage) => play.addForgotten(stage, [play.mine, "other:eth1"]) },
];

type Fault = SystemCall & { error: string };

const writing = ["ENOSPC", "EROFS", "EIO"];
const errors: Record<string, string[]> = {
  write: ["ENOSPC", "EIO"],
  link: writing,
  linkat: writing,
  unlink: ["EROFS", "EIO"],
  unlinkat: ["EROFS", "EIO"],
  rename: writing,
  renameat: writing,
  renameat2: writing,
  mkdir: writing,
  mkdirat: writing,
  rmdir: ["EROFS", "EIO"],
  read: ["EIO"],
  close: ["EIO"],
  getdents64: ["EIO"],
  statx: ["EIO"],
  socketpair: ["EMFILE"],
  vfork: ["EAGAIN"],
};

function faultsAt(call: SystemCall): Fault[] {
  const opening = call.words.includes("O_CREAT") ? ["EMFILE", ...writing] : ["EMFILE", "EIO"];
  const onFile = !/^(read|write|close)\(\d+<[^/]/.test(call.words);
  const possible = call.kind.startsWith("open") ? opening : onFile ? (errors[call.kind] ?? []) : [];
  return possible.map((error) => ({ ...call, error }));
}

/** CNI's document for an error that is one of the machine's, or a result as if nothing had been; and nothing else. */
function expectPlainWords(answer: PluginAnswer, verb: string): void {
  expect(answer.timedOut || answer.signal !== undefined, wordsOf(answer)).toBe(false);
  type Document = { code?: number; msg?: string; details?: string; ips?: unknown[] };
  const { code, msg = "", details = "", ips } = (answer.json ?? {}) as Document;
  if (answer.exitCode === 0 && verb === "ADD") expect(ips?.length, wordsOf(answer)).toBeGreaterThan(0);
  if (answer.exitCode === 0 && verb !== "ADD") expect(answer.stdout).toBe("");
  // The runtime's own threads write too: once in a while the call of that number is another one, that of the answer.
  const wentAstray = answer.stdout === "" && answer.stderr.includes("standard output can't be written");
  if (answer.exitCode !== 0 && !wentAstray) {
    // 7 where it is the kubeconfig that can't be read.
    expect([5, 7, 11, 100], wordsOf(answer)).toContain(code);
    expect(msg, wordsOf(answer)).toMatch(/\w/);
    expect(details, `what to do: ${wordsOf(answer)}`).toMatch(/\w/);
  }
  expect(answer.stdout + answer.stderr, "a stack trace, or a fault of the plugin's").not.toMatch(
    /\bat .*:\d+:\d+|unexpected fault/,
  );
}

/** A record is there whole, or not at all. */
function expectWholeRecords(worker: Worker): void {
  const folder = join(worker.state(), "attachments");
  const names = worker.records().filter((name) => !name.startsWith("."));
  for (const name of names) {
    const text = readFileSync(join(folder, name), "utf8");
    if (text.startsWith("{")) expect(JSON.parse(text)).toMatchObject({ version: 1 });
    else expect(text).toMatch(/^[\w.-]+(\r\n\w+)?$/);
  }
  for (const name of listFolder(worker.state()).filter((one) => one.startsWith("ranges-"))) {
    expect(JSON.parse(readFileSync(join(worker.state(), name), "utf8"))).toMatchObject({ version: 1 });
  }
}

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

describeHostLocals(`one call fails, ${sampled}`, (subject) => {
  const run = it.skipIf(lack.some).each(scenarios);
  run(`$name${lack.words}`, { timeout: soak ? 1_800_000 : 180_000 }, async ({ verb, ipam, prepare }) => {
    const usual: Difference = { config: { cniVersion: "1.1.0" }, ...(ipam && { ipam }) };

    async function enter(): Promise<play.Stage> {
      const worker = await makeWorker(server, subject, { podCIDRs, annotations: { [key]: podCIDRs.join() } });
      const stage: play.Stage = { worker, subject, live: new Map(), usual };
      await play.addLiving(stage, living);
      return stage;
    }
    function callOf({ live }: play.Stage): Difference {
      return verb === "GC" ? { ...usual, config: keeping([...live.keys()]) } : callFor(play.mine, usual);
    }
    async function findFaults(): Promise<Fault[]> {
      const stage = await enter();
      await prepare(stage);
      return (await traceCall(stage.worker, verb, callOf(stage))).flatMap(faultsAt);
    }
    async function failAt(stage: play.Stage, fault: Fault): Promise<void> {
      await prepare(stage);
      const { worker } = stage;
      const wrap = failingAt(fault, fault.error, join(worker.folder, "failing"));
      expectPlainWords(await worker.call(verb, { ...callOf(stage), wrap }), verb);
      expectWholeRecords(worker);
      await play.recover(stage);
    }

    const faults = await findFaults();
    expect(faults.length).toBeGreaterThan(10);
    const name = ({ error, kind, nth, words }: Fault) => `${error} for ${words} (${kind} ${nth})`;
    await play.tryEach(sample(faults, 23), name, enter, failAt);
  });
});

describeHostLocals("standard output fails", (subject) => {
  const sinks = { "nobody reads it": '"$@" | true; exit 1', "its disk is full": 'exec "$@" >/dev/full' };
  it.each(Object.entries(sinks))(
    "%s: the ADD fails without a stack trace, and is let go like any other",
    async (_, script) => {
      const worker = await makeWorker(server, subject, { podCIDRs });
      const usual: Difference = { config: { cniVersion: "1.1.0" } };
      const stage: play.Stage = { worker, subject, live: new Map(), usual };
      const wrap = (command: string[]) => ["sh", "-c", script, "sh", ...command];
      const answer = await worker.call("ADD", { ...callFor(play.mine, usual), wrap });
      expect(answer.exitCode, wordsOf(answer)).not.toBe(0);
      await play.recover(stage);
      expect(answer.stderr).not.toMatch(/\bat .*:\d+:\d+|\bBun v/);
    },
  );
});
