// kube-node try with real main plugins, in the namespace of a node of its own.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { execa, execaSync } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isGone } from "../../src/host/machine.ts";
import { makePerson, type Person } from "../cli/person.ts";
import * as net from "../parts/namespace.ts";
import type { PluginAnswer } from "../parts/plugin.ts";
import { firstProgram, inPath, mainPlugins, namespaces, whatLacks } from "../parts/tools.ts";
import { installPrograms } from "./parts/install.ts";
import { type NodeNamespace, startNodeNamespace } from "./parts/node-namespace.ts";
import { privateMounts, withMounts } from "./parts/private-mounts.ts";
import { describeSubjects, onlyCompiled, type Subject } from "./parts/subjects.ts";
import { makeWorker, type Worker } from "./parts/worker.ts";

const lack = whatLacks(
  mainPlugins(),
  namespaces(),
  privateMounts(),
  firstProgram(inPath("iptables"), "iptables"),
);
const key = "example.com/net1";
const podCIDRs = ["10.1.0.0/24", "fd00:1::/64"];

let machine: NodeNamespace;
beforeAll(async () => {
  if (!lack.some) machine = await startNodeNamespace();
});
afterAll(() => machine?.close());

type Made = { worker: Worker; person: Person; everything(): unknown };

/** A worker in the node's namespace, with our programs in its CNI_PATH; `everything` is all that a trial could leave there. */
async function make(subject: Subject, spec: Parameters<typeof makeWorker>[2] = { podCIDRs }): Promise<Made> {
  const worker = await makeWorker(machine.server, subject, spec);
  installPrograms(subject, worker.bin);
  const command: typeof subject.executable.command = (program) =>
    net.inside(machine.node, subject.executable.command(program));
  return {
    worker,
    person: makePerson(worker, { label: subject.executable.label, command }),
    everything: () => ({
      files: readdirSync(worker.folder, { recursive: true })
        .filter((name) => name !== "log")
        .sort(),
      links: net.linksOf(machine.node),
      namespaces: readdirSync("/var/run/netns").filter(isForsaken),
      forwarding: execaSync("ip", ["netns", "exec", machine.node.name, "sysctl", "-n", "net.ipv4.ip_forward"])
        .stdout,
      rules: execaSync("ip", [
        "netns",
        "exec",
        machine.node.name,
        "sh",
        "-c",
        "iptables-save -t nat 2>/dev/null | grep -v '^#' || true",
      ]).stdout,
    }),
  };
}

/** A trial's namespace whose process is over. */
function isForsaken(name: string): boolean {
  const pid = /^kube-node-try-(\d+)$/.exec(name)?.[1];
  return pid !== undefined && isGone(Number(pid));
}

/** What each step says, without its time. */
function steps({ stdout }: PluginAnswer): Record<string, string> {
  const lines = stdout.split("\n").slice(2).filter(Boolean);
  return Object.fromEntries(
    lines.map((line) => [
      line.split(" ")[0],
      line
        .slice(8)
        .replace(/^ *\d+ ms/, "")
        .trim(),
    ]),
  );
}

const bridge = (worker: Worker, ipam = {}) => ({
  name: "net1",
  cniVersion: "1.0.0",
  plugins: [
    { type: "bridge", bridge: "br-try", isDefaultGateway: true, ipMasq: true, ipam: worker.ipam(ipam) },
    { type: "portmap", capabilities: { portMappings: true } },
  ],
});

describeSubjects("kube-node try", (subject) => {
  const itCompiled = onlyCompiled(subject);

  describe.skipIf(lack.some)(`in network namespaces${lack.words}`, () => {
    it("a bridge on kube-node: ADD, CHECK and DEL, and nothing is left", async () => {
      const { worker, person, everything } = await make(subject);
      const conf = person.write({}, bridge(worker), "net1.conflist");
      const before = everything();
      const answer = await person.run("try", conf);
      expect(answer, answer.stdout).toMatchObject({ exitCode: 0, stderr: "" });
      expect(answer.stdout.split("\n")[0]).toMatch(
        /^network net1: \S+\/bridge with \S+\/kube-node, container kube-node-try-\d+$/,
      );
      expect(steps(answer)).toEqual({
        ADD: "10.1.0.2/24 (gateway 10.1.0.1), fd00:1::2/64 (gateway fd00:1::1)",
        CHECK: "good",
        DEL: "good",
        LEFT: "nothing",
      });
      expect(answer.stdout).toMatch(/ADD +\d+ ms/);
      expect(everything()).toEqual(before);
    });

    itCompiled("leaves a network in use as it is: its bridge, its leases, its bookkeeping", async () => {
      const { worker, person, everything } = await make(subject);
      net.addBridge(machine.node, "br-try", ["10.1.0.1/24"]);
      await worker.add({ id: "other", wrap: (command) => net.inside(machine.node, command) });
      const conf = person.write({}, bridge(worker));
      const before = everything();
      const answer = await person.run("try", conf);
      expect(answer, answer.stdout).toMatchObject({ exitCode: 0 });
      expect(steps(answer)).toMatchObject({ ADD: expect.stringContaining("10.1.0.3/24"), LEFT: "nothing" });
      expect(worker.leases()).toMatchObject({ "10.1.0.2": "other eth0" });
      expect(worker.records()).toEqual(["other:eth0"]);
      expect(everything()).toEqual(before);
      execaSync("ip", ["-n", machine.node.name, "link", "del", "br-try"]);
    });

    it("of an ADD that fails after the bridge was made, nothing is left either", async () => {
      const { worker, person, everything } = await make(subject, { podCIDRs: ["10.1.0.0/24"] });
      const conf = person.write({}, bridge(worker, { "ipv4-namespaces": ["db"] }));
      const before = everything();
      const answer = await person.run("try", "--namespace=web", conf);
      expect(answer.exitCode).toBe(1);
      expect(steps(answer)).toEqual({
        ADD: expect.stringMatching(/^failed: Node \S+ has only IPv4 ranges, .*namespace web/),
        DEL: "good",
        LEFT: "nothing",
      });
      expect(everything()).toEqual(before);
      const allowed = await person.run("try", "--pod=db/mysql", conf);
      expect(allowed, allowed.stdout).toMatchObject({ exitCode: 0 });
      expect(everything()).toEqual(before);
    });

    itCompiled("CHECK that fails makes the exit code 1, and DEL comes all the same", async () => {
      const { worker, person, everything } = await make(subject);
      const real = join(mainPlugins().path as string, "bridge");
      worker.putProgram(
        "bridge",
        `#!/bin/sh\n[ "$CNI_COMMAND" != CHECK ] || { echo '{"code": 100, "msg": "no such luck"}'; exit 1; }\nexec ${real}\n`,
      );
      const conf = person.write({}, bridge(worker));
      const before = everything();
      const answer = await person.run("try", "-o", "json", conf);
      expect(answer.exitCode).toBe(1);
      expect(answer.json).toMatchObject({
        network: "net1",
        steps: [
          { step: "ADD", ok: true, result: { ips: [{ address: "10.1.0.2/24" }, {}] } },
          { step: "CHECK", ok: false, says: "failed: no such luck", milliseconds: expect.any(Number) },
          { step: "DEL", ok: true },
          { step: "LEFT", ok: true, says: "nothing" },
        ],
      });
      expect(everything()).toEqual(before);
    });

    // Ctrl-C reaches all that runs in the terminal, kill but the one.
    itCompiled("Ctrl-C in the middle: it says so, and puts everything away", () =>
      interrupt("SIGINT", -1, /^failed: it ended with SIGINT$/),
    );
    itCompiled("SIGTERM to it alone: what is under way comes to its end first", () =>
      interrupt("SIGTERM", 1, /^10\.1\.0\.2\/24/),
    );

    async function interrupt(signal: NodeJS.Signals, group: 1 | -1, added: RegExp): Promise<void> {
      const { worker, person, everything } = await make(subject);
      const real = join(mainPlugins().path as string, "bridge");
      const reached = join(worker.folder, "reached");
      const wait = `[ "$CNI_COMMAND" != ADD ] || { echo $PPID >'${reached}'; sleep 1; }`;
      worker.putProgram("bridge", `#!/bin/sh\n${real} || exit 1\n${wait}\n`);
      const conf = person.write({}, bridge(worker));
      const before = everything();
      const running = person.run("try", conf);
      while (!existsSync(reached) || readFileSync(reached, "utf8") === "") await pause(20);
      expect(net.linksOf(machine.node)).toContain("br-try");
      process.kill(group * Number(readFileSync(reached, "utf8")), signal);
      const answer = await running;
      rmSync(reached);
      expect(answer).toMatchObject({ exitCode: 1, stderr: `${signal}: putting away what was made\n` });
      expect(steps(answer)).toEqual({ ADD: expect.stringMatching(added), DEL: "good", LEFT: "nothing" });
      expect(everything()).toEqual(before);
    }

    itCompiled("a pipe that nobody reads any more doesn't keep it from putting things away", async () => {
      const { worker, person, everything } = await make(subject);
      const conf = person.write({}, bridge(worker));
      const before = everything();
      const [file = "", ...words] = net.inside(machine.node, [
        ...subject.executable.command("kube-node"),
        "try",
        conf,
      ]);
      const command = [file, ...words].map((word) => `'${word}'`).join(" ");
      await execa("sh", ["-c", `{ ${command}; } | true`], { env: { CNI_PATH: worker.path } });
      expect(everything()).toEqual(before);
    });

    itCompiled("says what is left where DEL fails", async () => {
      const { worker, person } = await make(subject);
      const real = join(mainPlugins().path as string, "bridge");
      worker.putProgram(
        "bridge",
        `#!/bin/sh\n[ "$CNI_COMMAND" != DEL ] || { echo '{"code": 5, "msg": "disk on fire"}'; exit 1; }\nexec ${real}\n`,
      );
      const answer = await person.run("try", person.write({}, bridge(worker)));
      expect(answer.exitCode).toBe(1);
      const { DEL, LEFT } = steps(answer);
      expect(DEL).toBe("failed: disk on fire");
      expect(LEFT).toMatch(
        /the lease of 10\.1\.0\.2 \(\S+\), the lease of fd00:1::2 \(\S+\), a record in \S+/,
      );
      expect(net.linksOf(machine.node)).not.toContain("br-try");
    });

    it("says what its plugins warn of as sentences, each once, and keeps others' words", async () => {
      const { worker, person } = await make(subject, { podCIDRs, machineID: "another" });
      const real = join(mainPlugins().path as string, "bridge");
      worker.putProgram("bridge", `#!/bin/sh\necho "bridge: $CNI_COMMAND" >&2\nexec ${real}\n`);
      const ipam = { nodeName: worker.name, logfile: undefined, unheard: 1 };
      const answer = await person.run("try", person.write({}, bridge(worker, ipam)));
      expect(answer, answer.stdout).toMatchObject({ exitCode: 0 });
      expect(answer.stderr.trimEnd().split("\n")).toEqual([
        'warning: unknown key in ipam goes to the delegate {"key":"unheard"}',
        "bridge: ADD",
        `warning: Node ${worker.name} has another machine-id than this machine`,
        "bridge: CHECK",
        "bridge: DEL",
      ]);
    });

    itCompiled("node-annotation's configurations, too", async () => {
      const { worker, everything } = await make(subject, {
        annotations: { [key]: 'ranges: [{subnet: "10.1.2.0/24"}]' },
      });
      const [file, store] = [join(worker.folder, "node-annotation.conf"), join(worker.folder, "lib-cni")];
      writeFileSync(file, JSON.stringify({ kubeconfig: worker.kubeconfig }));
      mkdirSync(store);
      const command: typeof subject.executable.command = (program) =>
        net.inside(machine.node, withMounts({ "/var/lib/cni": store }, subject.executable.command(program)));
      const person = makePerson(worker, { label: "", command });
      const ipam = { type: "node-annotation", annotation: key };
      const conf = person.write(
        {},
        { name: "mynet", cniVersion: "1.0.0", type: "bridge", bridge: "br-try", ipam },
      );
      const before = everything();
      const answer = await person.runWith({ env: { NODE_ANNOTATION_CFG: file } }, "try", conf);
      expect(answer, answer.stdout + answer.stderr).toMatchObject({ exitCode: 0, stderr: "" });
      expect(steps(answer)).toMatchObject({ ADD: "10.1.2.2/24 (gateway 10.1.2.1)", LEFT: "nothing" });
      expect(everything()).toEqual(before);
    });

    it("without a main plugin, kube-node alone: and it says why", async () => {
      const { worker, person, everything } = await make(subject);
      const conf = person.write(
        {},
        { name: "net1", cniVersion: "1.1.0", type: "no-such", ipam: worker.ipam() },
      );
      const before = everything();
      const answer = await person.run("try", conf);
      expect(answer, answer.stdout).toMatchObject({ exitCode: 0 });
      expect(answer.stderr).toMatch(/^kube-node is called alone: the main plugin no-such is in none of /);
      expect(steps(answer)).toEqual({
        ADD: "10.1.0.2/24 (gateway 10.1.0.1), fd00:1::2/64 (gateway fd00:1::1)",
        CHECK: "good",
        DEL: "good",
        LEFT: "nothing",
      });
      const asked = await person.run("try", "--ipam-only", person.write({}, bridge(worker)));
      expect(asked).toMatchObject({ exitCode: 0, stderr: "" });
      expect(everything()).toEqual(before);
    });
  });
});
