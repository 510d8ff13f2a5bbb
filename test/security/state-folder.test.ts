// Our folders beside host-local's store: for their user alone, and nothing in them is followed out of them.
import { execFileSync } from "node:child_process";
import {
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import type { PluginAnswer } from "../parts/plugin.ts";
import { root, strace, whatLacks } from "../parts/tools.ts";
import { addressesIn, readFailure, wordsOf } from "../real/parts/answers.ts";
import { beginOutage } from "../real/parts/outage.ts";
import { makeWorker, type Worker } from "../real/parts/worker.ts";
import { describeOne } from "./subject.ts";
import { treeOf } from "./tree.ts";

const podCIDRs = ["10.1.0.0/24"];
const ipam = { cacheTTL: 0, timeout: 3 };
const tracing = strace();
const lackOfStrace = whatLacks(tracing);
const lackOfRoot = whatLacks(root());

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

/** As a careless runtime starts its plugins. */
const openly = (command: string[]) => ["sh", "-c", 'umask 0; exec "$@"', "sh", ...command];

describeOne("the state folder under umask 0", (subject) => {
  it("has folders of 0700 and files of 0600, whatever was called", async () => {
    const worker = await makeWorker(server, subject, { podCIDRs });
    const call = (verb: string, id: string, change: object = {}) =>
      worker.call(verb, { id, wrap: openly, ipam, config: { cniVersion: "1.1.0" }, ...change });
    await call("ADD", "c1");
    await call("ADD", "c2", { ipam: { ...ipam, annotation: "none" } });
    await call("STATUS", "");
    await beginOutage(server, "status403");
    await call("ADD", "c3");
    await call("ADD", "c4", { config: { name: "net2" } });
    await call("GC", "", {
      config: { cniVersion: "1.1.0", "cni.dev/valid-attachments": [{ containerID: "c1", ifname: "eth0" }] },
    });
    const found = Object.entries(treeOf(join(worker.dataDir, ".kube-node")));
    expect(found.length).toBeGreaterThan(5);
    const uid = process.getuid?.();
    const others = found.filter(
      ([, what]) => !what.startsWith(`folder 700 of ${uid}`) && !what.startsWith(`file 600 of ${uid}:`),
    );
    expect(others).toEqual([]);
  });

  it.skipIf(lackOfStrace.some)(`has none that was another for a moment${lackOfStrace.words}`, async () => {
    const worker = await makeWorker(server, subject, { podCIDRs });
    const trace = join(worker.folder, "trace");
    const traced = (command: string[]) =>
      openly([
        tracing.path ?? "",
        "-f",
        "-qq",
        "-s",
        "4096",
        "-o",
        trace,
        "-e",
        "trace=open,openat,creat,mkdir,mkdirat",
        ...command,
      ]);
    expect(addressesIn(await worker.call("ADD", { wrap: traced, ipam }))).toEqual(["10.1.0.2"]);
    const lines = readFileSync(trace, "utf8").split("\n");
    const made = lines.filter(
      (line) =>
        line.includes("/.kube-node") && /mkdir|O_CREAT|creat\(/.test(line) && !line.includes(" = -1 "),
    );
    expect(made.length).toBeGreaterThan(4);
    expect(made.filter((line) => !/(?:, 0700\)|, 0600\)) += /.test(line))).toEqual([]);
    expect(made.filter((line) => /O_CREAT/.test(line) && !/O_EXCL/.test(line))).toEqual([]);
  });
});

/** What may stand in a folder's place, and in a file's. `outside` is where a link leads. */
const strangers: Record<string, (path: string, outside: string) => void> = {
  "a link to a folder": (path, outside) => symlinkSync(outside, path),
  "a link to a file": (path, outside) => symlinkSync(join(outside, "file"), path),
  "a link to nowhere": (path, outside) => symlinkSync(join(outside, "absent"), path),
  "a pipe": (path) => void execFileSync("mkfifo", [path]),
  "a folder": (path) => mkdirSync(path),
  "a device": (path) => void execFileSync("mknod", [path, "c", "1", "5"]),
};

const folders = [".kube-node", ".kube-node/net1", ".kube-node/net1/attachments"];
const files = [
  "attachments/c1:eth0",
  "attachments/c2:eth0",
  "ranges-spec.podCIDRs",
  "failure-spec.podCIDRs",
  "asking-spec.podCIDRs",
  "version-host-local",
];

describeOne("what isn't ours in the state folder", (subject) => {
  /** A worker with a live pod c1, and a place outside with a file in it. */
  async function prepare() {
    const worker = await makeWorker(server, subject, { podCIDRs });
    expect(await worker.add({ ipam, config: { cniVersion: "1.1.0" } })).toEqual(["10.1.0.2"]);
    const outside = join(worker.folder, "outside");
    mkdirSync(outside, { mode: 0o755 });
    writeFileSync(join(outside, "file"), "c9\r\neth0", { mode: 0o644 });
    return { worker, outside, before: treeOf(outside) };
  }

  /** A second pod, one live, one unknown: in the time of a call, with an answer, and the address stays c1's. */
  async function callAll(worker: Worker): Promise<Record<string, PluginAnswer>> {
    const config = { cniVersion: "1.1.0" };
    const answers: Record<string, PluginAnswer> = {};
    for (const [verb, id] of [
      ["ADD", "c2"],
      ["ADD", "c1"],
      ["DEL", "c3"],
    ] as const) {
      const answer = await worker.call(verb, { id, ipam, config });
      expect(answer.timedOut, `${verb} ${id}: ${wordsOf(answer)}`).toBe(false);
      expect(answer.stderr + answer.stdout).not.toContain("please report");
      if (answer.exitCode !== 0) readFailure(answer);
      answers[`${verb} ${id}`] = answer;
    }
    expect(worker.leases()["10.1.0.2"]).toBe("c1 eth0");
    return answers;
  }

  describe.each(folders)("in the place of %s", (place) => {
    it.skipIf(lackOfRoot.some).each(Object.keys(strangers).filter((kind) => kind !== "a folder"))(
      `%s is refused, named, and not followed${lackOfRoot.words}`,
      async (kind) => {
        const { worker, outside, before } = await prepare();
        const path = join(worker.dataDir, place);
        renameSync(path, join(worker.folder, "aside"));
        strangers[kind]?.(path, outside);
        const answers = await callAll(worker);
        for (const name of ["ADD c2", "ADD c1"]) {
          expect(readFailure(answers[name] as PluginAnswer)).toMatchObject({
            code: 5,
            msg: expect.stringContaining(path),
          });
        }
        expect(treeOf(outside)).toEqual(before);
      },
    );

    it.skipIf(lackOfRoot.some)(`another user's folder is refused${lackOfRoot.words}`, async () => {
      const { worker } = await prepare();
      chownSync(join(worker.dataDir, place), 65534, 65534);
      const before = treeOf(join(worker.dataDir, ".kube-node"));
      const answers = await callAll(worker);
      for (const name of ["ADD c2", "ADD c1"]) {
        expect(readFailure(answers[name] as PluginAnswer)).toMatchObject({
          code: 5,
          msg: expect.stringContaining(place),
        });
      }
      expect(treeOf(join(worker.dataDir, ".kube-node"))).toEqual(before);
    });
  });

  describe.each(files)("in the place of %s", (place) => {
    it.skipIf(lackOfRoot.some).each(Object.keys(strangers))(
      `%s is not followed${lackOfRoot.words}`,
      async (kind) => {
        const { worker, outside, before } = await prepare();
        const path = join(worker.state(), place);
        if (existsSync(path)) rmSync(path);
        mkdirSync(dirname(path), { recursive: true });
        strangers[kind]?.(path, outside);
        await callAll(worker);
        expect(treeOf(outside)).toEqual(before);
      },
    );

    it.skipIf(lackOfRoot.some)(`another user's file is not believed${lackOfRoot.words}`, async () => {
      const { worker } = await prepare();
      const path = join(worker.state(), place);
      const lie =
        { "ranges-spec.podCIDRs": readLie(worker), "version-host-local": "/evil 1 1 1\n1.0.0\n" }[place] ??
        JSON.stringify({ version: 1 });
      rmSync(path, { force: true });
      writeFileSync(path, lie, { mode: 0o644 });
      chownSync(path, 65534, 65534);
      await beginOutage(server, "status403");
      const answer = await worker.call("ADD", { id: "c5", ipam, config: { cniVersion: "1.1.0" } });
      if (place === "ranges-spec.podCIDRs") expect(readFailure(answer)).toMatchObject({ code: 11 });
      else expect(addressesIn(answer)[0]).toMatch(/^10\.1\.0\./);
    });
  });
});

/** Ranges that nobody gave. */
function readLie(worker: Worker): string {
  const path = join(worker.state(), "ranges-spec.podCIDRs");
  return JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), value: ["10.66.0.0/24"] });
}
