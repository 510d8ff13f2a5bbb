// Whoever may write a NetworkAttachmentDefinition, and run a pod, can't choose what root runs, nor addresses that the Node doesn't give.
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { machineIDs } from "../../src/host/machine.ts";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { readFailure, wordsOf } from "../real/parts/answers.ts";
import { privateMounts, withMounts } from "../real/parts/private-mounts.ts";
import { makeWorker, putProgram, type Worker } from "../real/parts/worker.ts";
import { describeOne } from "./subject.ts";

const lack = whatLacks(privateMounts());
const network = { cniVersion: "1.1.0" };

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

describeOne("a tenant", (subject) => {
  /** A worker, and a program that must never run. */
  async function prepare() {
    const worker = await makeWorker(server, subject, { podCIDRs: ["10.1.0.0/24"] });
    const trace = join(worker.folder, "it-ran");
    const program = putProgram(join(worker.folder, "evil"), `#!/bin/sh\ntouch '${trace}'\nexit 1\n`);
    return { worker, program, hasRun: () => existsSync(trace) };
  }

  describe("who writes a kubeconfig with an exec plugin", () => {
    const plugin = (program: string) =>
      JSON.stringify({
        clusters: [{ name: "a", cluster: { server: "https://127.0.0.1:1" } }],
        users: [
          {
            name: "a",
            user: {
              exec: {
                apiVersion: "client.authentication.k8s.io/v1",
                command: program,
                interactiveMode: "Never",
              },
            },
          },
        ],
        contexts: [{ name: "a", context: { cluster: "a", user: "a" } }],
        "current-context": "a",
      });

    // As the local-path provisioner makes its volumes: 0777, in a folder of root's; the pod's root is root.
    it.each(["777", "757"])("into a folder of mode %s: it isn't trusted", async (mode) => {
      const { worker, program, hasRun } = await prepare();
      const volume = join(worker.folder, "volume");
      mkdirSync(volume);
      chmodSync(volume, Number.parseInt(mode, 8));
      const kubeconfig = join(volume, "kubeconfig");
      writeFileSync(kubeconfig, plugin(program), { mode: 0o600 });
      const answer = await worker.call("ADD", { ipam: { kubeconfig, timeout: 2 } });
      expect(hasRun(), wordsOf(answer)).toBe(false);
      expect(readFailure(answer)).toMatchObject({ code: 7 });
    });

    it.skipIf(lack.some)(`into a volume of the kubelet's: it isn't trusted${lack.words}`, async () => {
      const { worker, program, hasRun } = await prepare();
      const volume = join(worker.folder, "volume");
      mkdirSync(volume);
      writeFileSync(join(volume, "kubeconfig"), plugin(program), { mode: 0o600 });
      const kubeconfig = "/var/lib/kubelet/pods/kubeconfig";
      const wrap = (command: string[]) =>
        withMounts({ "/var/lib/kubelet": worker.folder, "/var/lib/kubelet/pods": volume }, command);
      mkdirSync(join(worker.folder, "pods"));
      const answer = await worker.call("ADD", { wrap, ipam: { kubeconfig, timeout: 2 } });
      expect(hasRun(), wordsOf(answer)).toBe(false);
      expect(readFailure(answer)).toMatchObject({
        code: 7,
        details: expect.stringContaining("can't be trusted"),
      });
    });
  });

  describe("whose pod writes into the dataDir that the configuration names", () => {
    const record = (worker: Worker, id: string, delegate: string, bootID = "another") => ({
      version: 1,
      containerID: id,
      ifname: "eth0",
      delegate,
      ipam: { type: "host-local", dataDir: worker.dataDir, ranges: [[{ subnet: "10.1.0.0/24" }]] },
      time: "2026-01-01T00:00:00.000Z",
      bootID,
      uptime: 1,
      nonce: "1-evil",
    });
    const plant = (worker: Worker, path: string, content: object) => {
      const file = join(worker.state(), path);
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      writeFileSync(file, JSON.stringify(content), { mode: 0o600 });
    };

    it.each(["DEL", "CHECK", "ADD", "GC"])("a record that names a program: %s runs it not", async (verb) => {
      const { worker, program, hasRun } = await prepare();
      for (const delegate of [program, `../../../../../../../..${program}`]) {
        plant(worker, "attachments/c1:eth0", record(worker, "c1", delegate));
        const answer = await worker.call(verb, { config: { ...network, "cni.dev/valid-attachments": [] } });
        expect(hasRun(), wordsOf(answer)).toBe(false);
      }
    });

    it("a record that names a program: an ADD on a full range runs it not", async () => {
      const { worker, program, hasRun } = await prepare();
      await worker.annotate("example.com/full", "10.1.0.9-10.1.0.9/24");
      const ipam = { annotation: "example.com/full" };
      await worker.add({ id: "c0", ipam });
      plant(worker, "attachments/c1:eth0", record(worker, "c1", program));
      const answer = await worker.call("ADD", { id: "c2", ipam, config: network });
      expect(hasRun(), wordsOf(answer)).toBe(false);
    });

    // The pod knows the machine's id from its Node. A kubeconfig that isn't there is an outage: last-known ranges count.
    it.skipIf(lack.some).each(["ranges", "kube-node.json"])(
      `%s of the pod's own in a volume of the kubelet's: no addresses of it${lack.words}`,
      async (what) => {
        const { worker } = await prepare();
        const volume = join(worker.folder, "pods");
        mkdirSync(volume);
        const dataDir = "/var/lib/kubelet/pods";
        const answer = {
          version: 1,
          source: "spec.podCIDRs",
          node: { name: worker.name, uid: "u" },
          machineIDs: machineIDs(),
          value: ["10.66.0.0/24"],
          bootID: "b",
          at: 1,
          time: "t",
        };
        const path = join(volume, ".kube-node/net1");
        mkdirSync(path, { recursive: true, mode: 0o700 });
        if (what === "ranges")
          writeFileSync(join(path, "ranges-spec.podCIDRs"), JSON.stringify(answer), { mode: 0o600 });
        else
          writeFileSync(
            join(volume, "kube-node.json"),
            JSON.stringify({ type: "host-local", ranges: [[{ subnet: "10.66.0.0/24" }]] }),
          );
        const wrap = (command: string[]) =>
          withMounts({ "/var/lib/kubelet": worker.folder, [dataDir]: volume }, command);
        const added = await worker.call("ADD", {
          wrap,
          ipam: { dataDir, kubeconfig: "/nowhere/kubeconfig", timeout: 2 },
        });
        expect(added.stdout).not.toContain("10.66.0.");
        readFailure(added);
      },
    );
  });

  describe("who names a dataDir in a volume of the kubelet's", () => {
    const pods = "/var/lib/kubelet/pods";
    const spelled = [
      "",
      "/",
      "/a/b",
      "/../../kubelet//pods",
      "/a/../../../cni/../kubelet/pods/a",
      "/../link",
      "/../link/b",
      "/../pods/new/one",
    ];
    it.skipIf(lack.some).each(spelled.map((rest) => `${pods}${rest}`))(
      `as %s: it is refused, and DEL isn't held up by it${lack.words}`,
      async (dataDir) => {
        const { worker } = await prepare();
        const lib = join(worker.folder, "lib");
        for (const folder of ["kubelet/pods/a/b", "cni"]) mkdirSync(join(lib, folder), { recursive: true });
        symlinkSync(`${pods}/a`, join(lib, "kubelet/link"));
        const wrap = (command: string[]) => withMounts({ "/var/lib": lib }, command);
        const answer = await worker.call("ADD", { wrap, ipam: { dataDir } });
        expect(readFailure(answer)).toMatchObject({ code: 7 });
        await worker.pass("DEL", { wrap, ipam: { dataDir } });
        expect(readdirSync(join(lib, "kubelet"), { recursive: true }).sort()).toEqual([
          "link",
          "pods",
          "pods/a",
          "pods/a/b",
        ]);
      },
    );
  });

  describe("who names a log file", () => {
    const key = '"$(touch /evil)" /evil.so ';

    it
      .skipIf(lack.some)
      .each([
        "/etc/profile.d/evil.sh",
        "/etc/ld.so.preload",
        "/etc/cron.d/evil",
        "/root/.bashrc",
        "/usr/local/bin/kube-node",
      ])(`%s, a file that root's programs read: it isn't made${lack.words}`, async (logfile) => {
      const { worker } = await prepare();
      const folder = join(worker.folder, "place");
      mkdirSync(folder);
      // Whatever /etc holds must still be found there, the machine's id above all.
      if (dirname(logfile) === "/etc") copyFileSync("/etc/machine-id", join(folder, "machine-id"));
      const wrap = (command: string[]) => withMounts({ [dirname(logfile)]: folder }, command);
      const answer = await worker.call("ADD", { wrap, ipam: { logfile, loglevel: "trace", [key]: 1 } });
      const made = join(folder, logfile.slice(dirname(logfile).length + 1));
      expect(existsSync(made) ? readFileSync(made, "utf8") : "", wordsOf(answer)).toBe("");
    });
  });
});
