import { existsSync, readdirSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { beginOutage } from "../real/parts/outage.ts";
import { describeSubjects } from "../real/parts/subjects.ts";
import { makeWorker } from "../real/parts/worker.ts";
import { makePerson } from "./person.ts";

const key = "example.com/net1";

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

/** A table's rows, cells apart by three blanks at least. */
function rows(text: string): string[][] {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => line.split(/ {3,}/));
}

describeSubjects("kube-node ranges", (subject) => {
  const make = async (spec: Parameters<typeof makeWorker>[2]) => {
    const worker = await makeWorker(server, subject, spec);
    return { worker, person: makePerson(worker, subject.executable) };
  };

  it("tells of each source, then of the ranges, their sizes and what is used of them; and keeps nothing", async () => {
    const { worker, person } = await make({ annotations: { [key]: "10.1.2.0/29,fd00:1::/64" } });
    const conf = person.write({ annotation: key });
    const answer = await person.run("ranges", conf);
    expect(answer).toMatchObject({ exitCode: 0, stderr: "" });
    expect(rows(answer.stdout)).toEqual([
      ["SOURCE", "AGE", "TAKEN", "WHY"],
      ["agent's file", "no", "no agent runs here"],
      ["last answer, while fresh", "no", "none is kept"],
      ["API server", "yes", "it answered"],
      ["last answer, of any age", "not needed"],
      ["original's kube-node.json", "no", "there is no kube-node.json of the original's"],
      [""],
      [`Network net1: annotation ${key} of Node ${worker.name}`],
      [""],
      ["RANGE", "FIRST", "LAST", "GATEWAY", "SIZE", "USED", "FREE"],
      ["10.1.2.0/29", "10.1.2.1", "10.1.2.6", "10.1.2.1", "5", "0", "5"],
      ["fd00:1::/64", "fd00:1::1", "fd00:1::ffff:ffff:ffff:ffff", "fd00:1::1", "2^64", "0", "2^64"],
    ]);
    expect(existsSync(worker.dataDir)).toBe(false);
    await worker.add({ ipam: { annotation: key } });
    expect((await person.run("ranges", conf)).stdout).toMatch(/10\.1\.2\.0\/29 .* 5 +1 +4\n/);
  });

  it("is a document of a shape that stays", async () => {
    const { worker, person } = await make({ podCIDRs: ["10.1.2.0/24"] });
    const plugins = [{ type: "portmap" }, { type: "bridge", ipam: worker.ipam() }];
    const stdin = { name: "net1", cniVersion: "1.0.0", plugins };
    const answer = await person.runWith({ stdin }, "ranges", "-o", "json", "-");
    expect(answer).toMatchObject({ exitCode: 0, stderr: "" });
    expect(answer.json).toEqual({
      network: "net1",
      source: "spec.podCIDRs",
      sources: [
        { source: "agent", taken: false, why: "no agent runs here" },
        { source: "fresh", taken: false, why: "none is kept" },
        { source: "asked", taken: true },
        { source: "last-known", taken: false },
        { source: "legacy", taken: false, why: "there is no kube-node.json of the original's" },
      ],
      node: worker.name,
      from: "asked",
      ranges: [
        {
          subnet: "10.1.2.0/24",
          set: 0,
          first: "10.1.2.1",
          last: "10.1.2.254",
          gateway: "10.1.2.1",
          size: 253,
          used: 0,
          free: 253,
        },
      ],
    });
  });

  it.each(["ranges", "synthesize"])(
    "%s warns in a sentence, with fields where there are any",
    async (command) => {
      const { worker, person } = await make({ podCIDRs: ["10.1.2.0/24"], machineID: "another" });
      const conf = person.write({ nodeName: worker.name, unheard: 1 });
      expect((await person.run(command, conf)).stderr.split("\n").slice(0, 2)).toEqual([
        'warning: unknown key in ipam goes to the delegate {"key":"unheard"}',
        `warning: Node ${worker.name} has another machine-id than this machine`,
      ]);
    },
  );

  it("shows what an outage does: last-known ranges with their age, or the error that an ADD would give", async () => {
    const { worker, person } = await make({ podCIDRs: ["10.1.2.0/24"] });
    const conf = person.write({ cacheTTL: 0 });
    await worker.add({ ipam: { cacheTTL: 0 } });
    const kept = readdirSync(worker.state()).sort();
    await beginOutage(server);
    const answer = await person.run("ranges", conf);
    expect(answer).toMatchObject({ exitCode: 0 });
    expect(answer.stderr).toContain("warning: API server not available, going on with last-known ranges");
    const told = rows(answer.stdout);
    expect(told[3]).toEqual(["API server", "no", expect.stringContaining("refused the connection")]);
    expect(told[4]).toEqual([
      "last answer, of any age",
      expect.stringMatching(/^\d+s$/),
      "yes",
      "the API server is not available",
    ]);
    expect(readdirSync(worker.state()).sort()).toEqual(kept);
    const other = person.write({ dataDir: `${worker.folder}/other`, timeout: 6 });
    const failed = await person.run("ranges", other);
    expect(failed.exitCode).toBe(1);
    expect(failed.stdout).toMatch(/last answer, of any age +no +none is kept that could be used\n/);
    expect(failed.stderr).toMatch(
      /^kube-node: the Node's address ranges are not known: .*refused the connection\n$/,
    );
    expect((await person.run("ranges", "-o", "json", other)).json).toMatchObject({
      ranges: [],
      error: { code: 11 },
    });
  });

  it.each([
    ["a malformed annotation", { annotation: key }, "fish", /malformed/],
    ["no annotation", { annotation: "none" }, "10.1.2.0/24", /has no annotation none: kubectl annotate node/],
    [
      "a key of the wrong type",
      { annotation: 5 },
      "10.1.2.0/24",
      /ipam configuration is malformed: .*annotation/,
    ],
  ])("%s: what an ADD would say, and exit code 1", async (_, ipam, value, words) => {
    const { person } = await make({ annotations: { [key]: value } });
    const answer = await person.run("ranges", person.write(ipam));
    expect(answer.exitCode).toBe(1);
    expect(answer.stderr).toMatch(words);
    expect(answer.stderr).not.toMatch(/^\s+at /m);
  });

  it("says what a file lacks to be a configuration for us", async () => {
    const { person } = await make({});
    const type = { ipam: { type: "host-local" } };
    const cases = [
      ["ranges", "none.conf"],
      ["ranges", person.write({}, { name: "n", ...type })],
      ["ranges", person.write({}, { name: "n", plugins: [type, {}] }, "list")],
    ];
    const answers = await Promise.all(cases.map((words) => person.run(...words)));
    expect(
      answers.map(({ exitCode, stderr }) => [exitCode, stderr.split(": ").slice(1).join(": ").trim()]),
    ).toEqual([
      [1, expect.stringMatching(/^none.conf: there is no such file: .*looked in \//)],
      [1, expect.stringMatching(/net1.conf: it is no configuration for kube-node: .* found "host-local"$/)],
      [1, expect.stringMatching(/list: no plugin of the list .*: found host-local, none$/)],
    ]);
  });
});
