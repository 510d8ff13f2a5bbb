// Names that a runtime, a configuration or a Node gives become names of files: none of them leaves its folder.
import { mkdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import type { PluginAnswer } from "../parts/plugin.ts";
import { readFailure, wordsOf } from "../real/parts/answers.ts";
import { type Difference, makeWorker, type Worker } from "../real/parts/worker.ts";
import { describeOne } from "./subject.ts";
import { treeOf } from "./tree.ts";

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

const hostile = [
  "..",
  ".",
  "../escaped",
  "../../escaped",
  "a/../../../escaped",
  "/tmp/escaped",
  "a/b",
  ".hidden",
  "-rf",
  "a b",
  "a:b",
  "a\nb",
  "a~b",
  "%2e%2e%2f",
  "..\\escaped",
  "\u2025/escaped",
  "ａ/．．",
  ".kube-node",
  "x".repeat(5000),
];

describeOne("a name that is hostile", (subject) => {
  async function prepare(): Promise<Worker> {
    const worker = await makeWorker(server, subject, { podCIDRs: ["10.1.0.0/24"] });
    mkdirSync(worker.dataDir);
    return worker;
  }

  /** Every verb is refused with that code, and nothing was made, anywhere near. */
  async function expectRefusal(code: number, verbs: string[], difference: Difference): Promise<void> {
    const worker = await prepare();
    const before = treeOf(worker.folder);
    for (const verb of verbs) {
      const answer = await worker.call(verb, { ...difference, ipam: { logfile: undefined, timeout: 3 } });
      expect(readFailure(answer), wordsOf(answer)).toMatchObject({ code });
      expect(answer.stdout.length).toBeLessThan(2000);
    }
    expect(treeOf(worker.folder)).toEqual(before);
  }

  const attachmentVerbs = ["ADD", "CHECK", "DEL"];
  const ids = hostile.filter((name) => name !== "x".repeat(5000));
  it.each(ids)("as a container's id: %j", (id) => expectRefusal(4, attachmentVerbs, { id }));

  const ifnames = hostile.filter(
    (name) => !["-rf", "a~b", "%2e%2e%2f", ".hidden", ".kube-node", "..\\escaped"].includes(name),
  );
  it.each(ifnames)("as an interface's name: %j", (ifname) => expectRefusal(4, attachmentVerbs, { ifname }));

  const networks = hostile.filter((name) => name !== "x".repeat(5000));
  it.each(networks)("as a network's name: %j", (name) =>
    expectRefusal(7, attachmentVerbs, { config: { name } }),
  );

  describe("but allowed", () => {
    const allowed: [string, Difference][] = [
      ["an interface .hidden", { ifname: ".hidden" }],
      ["an interface .tmp-1-1-1", { ifname: ".tmp-1-1-1" }],
      ["an interface a~b", { ifname: "a~b" }],
      ["an interface ..\\..", { ifname: "..\\.." }],
      ["a container's id of 200 letters", { id: "x".repeat(200) }],
      ["a network's name of 200 letters", { config: { name: "x".repeat(200) } }],
    ];
    it.each(allowed)("%s stays in its folder, and goes with its DEL", async (_, difference) => {
      const worker = await prepare();
      const call = (verb: string): Promise<PluginAnswer> =>
        worker.call(verb, { ...difference, ipam: { logfile: undefined, ...difference.ipam } });
      const added = await call("ADD");
      expect(added.exitCode, wordsOf(added)).toBe(0);
      const own = ["data", "bin", "kubeconfig"];
      expect(
        Object.keys(treeOf(worker.folder)).filter((name) => !own.includes(name.split("/")[0] ?? "")),
      ).toEqual([]);
      const below = Object.keys(treeOf(worker.dataDir));
      const network = (difference.config?.["name"] as string | undefined) ?? "net1";
      expect(
        below.filter(
          (name) =>
            name !== ".kube-node" && !name.startsWith(`.kube-node/${network}`) && !name.startsWith(network),
        ),
      ).toEqual([]);
      expect((await call("DEL")).exitCode).toBe(0);
      expect([worker.leases(network), worker.records(network)]).toEqual([{}, []]);
    });

    it.each(["../../escaped", "..", "/etc/passwd", "a%2fb", "~", "x".repeat(4000)])(
      "an annotation %j, which the Node doesn't have, is known by a file in its folder",
      async (annotation) => {
        const worker = await prepare();
        const failure = readFailure(await worker.call("ADD", { ipam: { logfile: undefined, annotation } }));
        expect(failure).toMatchObject({ code: 103 });
        const made = Object.keys(treeOf(worker.folder)).filter(
          (name) => !/^(?:bin|kubeconfig|data(?:\/\.kube-node(?:\/net1)?)?)$/.test(name),
        );
        expect(made).toEqual([expect.stringMatching(/^data\/\.kube-node\/net1\/ranges-[^/]+$/)]);
      },
    );

    it.each([
      ["a container's id", { id: "x".repeat(5000) }],
      ["a network's name", { config: { name: "x".repeat(5000) } }],
    ] as [string, Difference][])(
      "%s that no file can have: an error, and DEL succeeds or says the same",
      async (_, difference) => {
        const worker = await prepare();
        const before = Object.keys(treeOf(worker.dataDir)).filter((name) => !name.startsWith(".kube-node"));
        const ipam = { logfile: undefined };
        expect(readFailure(await worker.call("ADD", { ...difference, ipam })).msg.length).toBeLessThan(6000);
        const deleted = await worker.call("DEL", { ...difference, ipam });
        if (deleted.exitCode !== 0) readFailure(deleted);
        expect(Object.keys(worker.leases())).toEqual([]);
        const after = Object.keys(treeOf(worker.dataDir)).filter((name) => !name.startsWith(".kube-node"));
        expect(
          after.filter(
            (name) => !before.includes(name) && !/^net1(?:\/lock|\/last_reserved_ip\.0)?$/.test(name),
          ),
        ).toEqual([]);
      },
    );
  });
});
