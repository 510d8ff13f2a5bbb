// No call outlives its timeout, whatever the API server, a credential plugin, or a call that hangs does.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Fault } from "../parts/embedded/fault.ts";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { strace, whatLacks } from "../parts/tools.ts";
import { addressesIn, wordsOf } from "../real/parts/answers.ts";
import { beginOutage } from "../real/parts/outage.ts";
import { describeHostLocals, type Subject } from "../real/parts/subjects.ts";
import { makeWorker, type Worker } from "../real/parts/worker.ts";
import { expectOnly } from "./parts/attachments.ts";
import { delayedAt } from "./parts/strace.ts";

const key = "example.com/ranges";
const before = "10.1.0.0/24";
const after = "10.2.0.0/24";
const timeout = 2;
/** Milliseconds: the process has to start, on a machine that is busy with other tests. */
const margin = 1900;
const call = { config: { cniVersion: "1.1.0" }, ipam: { annotation: key, timeout } };
const lack = whatLacks(strace());

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

const makeAnnotated = (subject: Subject) => makeWorker(server, subject, { annotations: { [key]: before } });

/** A lock of ours in the hands of a process that lives and does nothing about it: this one. */
function holdLock(worker: Worker, name: string): void {
  mkdirSync(worker.state(), { recursive: true, mode: 0o700 });
  writeFileSync(join(worker.state(), name), String(process.pid), { mode: 0o600 });
}

describeHostLocals(`within ${timeout} s`, (subject) => {
  const slow: Fault[] = ["blackHole", "silent", "slowBytes"];

  it.each(slow)("an API server with the fault %s: 11, or last-known ranges", async (fault) => {
    const [knowing, fresh] = [await makeAnnotated(subject), await makeAnnotated(subject)];
    await knowing.add({ ...call, id: "before" });
    await beginOutage(server, fault);
    const unknown = await fresh.call("ADD", call);
    expect(unknown.milliseconds).toBeLessThan(timeout * 1000 + margin);
    expect(unknown.json, wordsOf(unknown)).toMatchObject({ code: 11 });
    const known = await knowing.call("ADD", call);
    expect(known.milliseconds).toBeLessThan(timeout * 1000 + margin);
    expect(addressesIn(known)).toEqual(["10.1.0.3"]);
    for (const worker of [fresh, knowing]) await worker.pass("DEL", call);
  });

  it("an API server and a host-local that both hang: the call ends all the same", async () => {
    const worker = await makeAnnotated(subject);
    await worker.add({ ...call, id: "before" });
    await beginOutage(server, "blackHole");
    worker.putProgram("host-local", "#!/bin/sh\ntrap '' TERM; while :; do sleep 0.2; done\n");
    const answer = await worker.call("ADD", call);
    expect(answer.milliseconds, wordsOf(answer)).toBeLessThan(timeout * 1000 + margin);
    expect(answer.json).toMatchObject({ code: 100 });
  });

  it("a credential plugin that hangs: 11", async () => {
    const worker = await makeAnnotated(subject);
    const user = {
      exec: {
        apiVersion: "client.authentication.k8s.io/v1",
        command: "sleep",
        args: ["8"],
        interactiveMode: "Never",
      },
    };
    const cluster = {
      server: server.url,
      "certificate-authority-data": Buffer.from(server.authority).toString("base64"),
    };
    const text = {
      apiVersion: "v1",
      kind: "Config",
      "current-context": "c",
      clusters: [{ name: "c", cluster }],
      users: [{ name: "u", user }],
      contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
    };
    writeFileSync(worker.kubeconfig, JSON.stringify(text));
    const answer = await worker.call("ADD", call);
    expect(answer.milliseconds, wordsOf(answer)).toBeLessThan(timeout * 1000 + margin);
    expect(answer.json, wordsOf(answer)).toMatchObject({ code: 11 });
  });
});

describeHostLocals("a call that hangs while others wait for what it does", (subject) => {
  it("asking the API server: after their patience they ask themselves", async () => {
    const worker = await makeAnnotated(subject);
    await worker.add({ ...call, id: "before" });
    await worker.annotate(key, after);
    holdLock(worker, `asking-${encodeURIComponent(`annotation ${key}`)}`);
    const answer = await worker.call("ADD", call);
    expect(answer.milliseconds, wordsOf(answer)).toBeLessThan(timeout * 1000 + margin);
    expect(addressesIn(answer)).toEqual(["10.2.0.2"]);
  });

  it("asking for the first time: after their patience they ask themselves", async () => {
    const worker = await makeAnnotated(subject);
    holdLock(worker, `asking-${encodeURIComponent(`annotation ${key}`)}`);
    const answer = await worker.call("ADD", call);
    expect(answer.milliseconds, wordsOf(answer)).toBeLessThan(timeout * 1000 + margin);
    expect(addressesIn(answer)).toEqual(["10.1.0.2"]);
  });

  it("adopting a store: after their patience they adopt it themselves", async () => {
    const worker = await makeAnnotated(subject);
    holdLock(worker, "adopting");
    const answer = await worker.call("ADD", call);
    expect(answer.milliseconds, wordsOf(answer)).toBeLessThan(timeout * 1000 + margin);
    expectOnly(worker, new Map([["c1:eth0", addressesIn(answer)]]));
  });
});

describeHostLocals("a host-local that is over before it was told anything", (subject) => {
  describe.skipIf(lack.some)(`as strace holds the telling up${lack.words}`, () => {
    const late = (worker: Worker, nth: number) =>
      delayedAt({ kind: "sendto", nth, words: "" }, 400, join(worker.folder, "late"));

    it("is heard", async () => {
      const worker = await makeAnnotated(subject);
      worker.putProgram("host-local", `#!/bin/sh\necho '{"code": 42, "msg": "not today"}'\nexit 1\n`);
      expect(await worker.fail("ADD", { ...call, wrap: late(worker, 1) })).toMatchObject({ code: 42 });
    });

    it("is no trouble where it was asked for its versions", async () => {
      const worker = await makeAnnotated(subject);
      expect(await worker.add({ ...call, wrap: late(worker, 2) })).toEqual(["10.1.0.2"]);
    });
  });
});
