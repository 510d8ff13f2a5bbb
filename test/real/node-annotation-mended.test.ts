// "Mend: node-annotation": errors that a runtime can read, and data that is never run.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { strace, whatLacks } from "../parts/tools.ts";
import { makeAnnotatedNode } from "./parts/annotated-node.ts";
import { beginOutage } from "./parts/outage.ts";
import { privateMounts } from "./parts/private-mounts.ts";
import { putRecorder } from "./parts/recorder.ts";
import { describeHostLocals, describeSubjects, onlyCompiled, rowsFor } from "./parts/subjects.ts";

const lack = whatLacks(privateMounts());
const lackOfStrace = whatLacks(privateMounts(), strace());
const body = 'ranges: [[{subnet: "172.16.5.0/24"}]]';

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

describeSubjects("mended in node-annotation", (subject) => {
  const itCompiled = onlyCompiled(subject);

  describe.skipIf(lack.some)(`over host-local${lack.words}`, () => {
    const make = (text?: string) => makeAnnotatedNode(server, subject, text);

    it("DEL and VERSION read no Node, and the own Node is read by its name", async () => {
      const node = await make(body);
      await node.add();
      const get = `GET /api/v1/nodes/${node.worker.name}`;
      expect(node.worker.requests()).toEqual([get]);
      await node.pass("DEL");
      expect((await node.call("VERSION")).json).toMatchObject({ cniVersion: "1.0.0" });
      expect(node.worker.requests()).toEqual([get]);
    });

    describe("every error is a CNI error on stdout", () => {
      const cases: [what: string, text: string | undefined, change: object, code: number, words: RegExp][] = [
        ["no annotation", undefined, {}, 103, /has no annotation example\.com\/ranges/],
        ["a syntax error in it", "ranges: [[{subnet: ", {}, 103, /malformed.*at character 20/],
        ["an empty one", " ", {}, 103, /the annotation is empty/],
        ["outer braces", '{ranges: [[{subnet: "16.0.0.0/24"}]]}', {}, 103, /leave out the outer braces/],
        ["no ranges in it", 'note: "x"', {}, 999, /no IP ranges specified/],
        ["no ipam.annotation", body, { ipam: { annotation: undefined } }, 7, /ipam names no annotation/],
        ["no ipam", body, { config: { ipam: undefined } }, 7, /without ipam/],
        [
          "a file that isn't JSON",
          body,
          { file: "kubeconfig=/x" },
          7,
          /node-annotation\.conf.*malformed.*line 1/,
        ],
        ["a value in it that is no text", body, { file: { nextipam: 7 } }, 7, /nextipam: expected a string/],
        ["no such kubeconfig", body, { file: { kubeconfig: "/nowhere" } }, 7, /\/nowhere.*absent/],
        ["no such delegate", body, { file: { nextipam: "/no/such" } }, 5, /delegate plugin such not found/],
      ];
      it.each(rowsFor(subject, cases))("%s", async (_, text, change, code, words) => {
        const node = await make(text);
        const failure = await node.fail("ADD", {
          ...change,
          config: { cniVersion: "0.4.0", ...(change as AnyChange).config },
        });
        expect(failure).toMatchObject({ cniVersion: "0.4.0", code });
        expect(`${failure.msg} ${failure.details}`).toMatch(words);
        expect([node.leases(), node.records()]).toEqual([{}, []]);
      });

      it("no API server", async () => {
        const node = await make(body);
        await beginOutage(server, "status403");
        expect(await node.fail("ADD")).toMatchObject({ code: 11, cniVersion: "1.0.0" });
      });
    });

    describe("nothing is evaluated", () => {
      const secret = "a-secret-of-the-environment";
      const programs = [
        "ranges: env.SECRET",
        "ranges: $ENV.SECRET",
        "ranges: [[{subnet: env.SECRET}]]",
        'ranges: [[{subnet: "16.0.0.0/24"}]] } | env | {x: 1',
        'ranges: [[{subnet: "\\(env.SECRET)"}]]',
        'ranges: [[{subnet: ("16.0.0.0" + "/24")}]]',
        'ranges: [[{subnet: "16.0.0.0/24"}]], (env.SECRET): 1',
        "env",
      ];
      it.each(rowsFor(subject, programs))("in the annotation: %s", async (text) => {
        const node = await make(text);
        const recorder = putRecorder(node.worker, subject, "recorder");
        const answer = await node.call("ADD", { env: { SECRET: secret }, file: { nextipam: "recorder" } });
        expect(answer).toMatchObject({
          exitCode: 1,
          json: { code: 103, details: expect.stringMatching(/^at character \d+: expected/) },
        });
        expect(answer.stdout + answer.stderr).not.toContain(secret);
        expect(recorder.calls()).toEqual([]);
      });

      itCompiled("in the node's own file", async () => {
        const node = await make(body);
        const trap = join(node.worker.folder, "trap");
        const touch = `touch ${trap}`;
        for (const words of [`$(${touch})`, `\`${touch}\``, `x; ${touch}`, `x\n${touch}\n`]) {
          const file = { nextipam: words, log: words, [words]: words };
          for (const one of [file, { kubeconfig: words }, `nextipam=${words}`]) {
            await node.fail("ADD", { file: one });
          }
        }
        expect(existsSync(trap)).toBe(false);
      });
    });
  });
});

type AnyChange = { config?: object };

describeHostLocals("mended in node-annotation: files", (subject) => {
  it.skipIf(lackOfStrace.some)(`lie in no folder that can be guessed${lackOfStrace.words}`, async () => {
    const node = await makeAnnotatedNode(server, subject, body);
    const trace = join(node.worker.folder, "trace");
    const traced = (command: string[]) => ["strace", "-f", "-e", "trace=file", "-o", trace, ...command];
    await node.add({ wrap: traced });
    const made = readFileSync(trace, "utf8")
      .split("\n")
      .filter((line) => /O_CREAT|\bmkdir|\bsymlink|\brename/.test(line) && !/ = -1 /.test(line))
      .map((line) => /"([^"]*)"/.exec(line)?.[1] ?? line);
    expect(made.length).toBeGreaterThan(0);
    expect(made.filter((path) => !path.startsWith("/var/lib/cni/networks") && path !== "/dev/null")).toEqual(
      [],
    );
  });
});
