// libcni's own client reads our configurations and runs the plugins as a runtime does.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import * as net from "../parts/namespace.ts";
import { callPlugin, type PluginAnswer } from "../parts/plugin.ts";
import { cnitool, mainPlugins, namespaces, whatLacks } from "../parts/tools.ts";
import { wordsOf } from "./parts/answers.ts";
import { installPrograms } from "./parts/install.ts";
import { type NodeNamespace, startNodeNamespace } from "./parts/node-namespace.ts";
import { privateMounts, withMounts } from "./parts/private-mounts.ts";
import { describeHostLocals } from "./parts/subjects.ts";
import { makeWorker, type Worker } from "./parts/worker.ts";

const lack = whatLacks(cnitool(), mainPlugins(), namespaces(), privateMounts());
const podCIDRs = ["10.1.0.0/24", "fd00:1::/64"];

/** The main plugins beside bridge, and the kind of link that each needs of the kernel. */
const others = [
  { type: "ptp", kind: "veth" },
  { type: "macvlan", kind: "macvlan", master: "uplink", mode: "bridge" },
  { type: "ipvlan", kind: "ipvlan", master: "uplink", mode: "l2" },
];

let machine: NodeNamespace;
beforeAll(async () => {
  if (lack.some) return;
  machine = await startNodeNamespace();
  net.connect({ namespace: machine.node, link: "uplink" }, { namespace: machine.node, link: "far" });
});
afterAll(() => machine?.close());

/** Runs cnitool on the node; libcni keeps its results in /var/lib/cni, which is a folder of the test. */
async function run(worker: Worker, ...words: string[]): Promise<PluginAnswer> {
  const libcni = join(worker.folder, "libcni");
  mkdirSync(libcni, { recursive: true });
  const command = net.inside(machine.node, [cnitool().path as string, ...words]);
  return await callPlugin({
    command: withMounts({ "/var/lib/cni": libcni }, command),
    path: worker.path,
    env: { NETCONFPATH: join(worker.folder, "net.d") },
  });
}

async function succeed(worker: Worker, ...words: string[]): Promise<PluginAnswer> {
  const answer = await run(worker, ...words);
  expect(answer, wordsOf(answer)).toMatchObject({ exitCode: 0 });
  return answer;
}

/** The list "net1" of one plugin. */
function writeList(worker: Worker, cniVersion: string, plugin: object): void {
  const list = { name: "net1", cniVersion, plugins: [plugin] };
  mkdirSync(join(worker.folder, "net.d"), { recursive: true });
  writeFileSync(join(worker.folder, "net.d/net1.conflist"), JSON.stringify(list));
}

describeHostLocals("libcni's client", (subject) => {
  describe.skipIf(lack.some)(`cnitool${lack.words}`, () => {
    let worker: Worker;
    beforeEach(async () => {
      worker = await makeWorker(machine.server, subject, { podCIDRs });
      installPrograms(subject, worker.bin);
    });
    function makePod(): net.Namespace {
      const pod = net.makeNamespace();
      onTestFinished(() => net.removeNamespaces([pod]));
      return pod;
    }

    it("adds, checks and deletes a bridge with kube-node", async () => {
      const bridge = { type: "bridge", bridge: "br0", isDefaultGateway: true, ipam: worker.ipam() };
      writeList(worker, "1.0.0", bridge);
      const [one, two] = [makePod(), makePod()];
      const { json } = await succeed(worker, "add", "net1", one.path);
      expect(json).toMatchObject({
        cniVersion: "1.0.0",
        ips: [{ address: "10.1.0.2/24" }, { address: "fd00:1::2/64" }],
      });
      await succeed(worker, "add", "net1", two.path);
      for (const address of ["10.1.0.3", "fd00:1::3"]) {
        expect(await net.ping(one, address)).toMatchObject({ reached: true });
      }
      for (const pod of [one, two]) await succeed(worker, "check", "net1", pod.path);
      await succeed(worker, "del", "net1", one.path);
      expect(Object.keys(worker.leases())).toEqual(["10.1.0.3", "fd00:1::3"]);
      for (const pod of [one, two, two]) await succeed(worker, "del", "net1", pod.path);
      expect([worker.leases(), worker.records()]).toEqual([{}, []]);
      expect(net.linksOf(one)).not.toContain("eth0");
    });

    for (const { type, kind, ...keys } of others) {
      const noLink = whatLacks(lack.some ? {} : net.linkKind(kind));
      it.skipIf(noLink.some)(`adds, checks and deletes ${type} with kube-node${noLink.words}`, async () => {
        writeList(worker, "1.0.0", { type, ...keys, ipam: worker.ipam() });
        const [one, two] = [makePod(), makePod()];
        for (const pod of [one, two]) await succeed(worker, "add", "net1", pod.path);
        net.allowForwarding(machine.node);
        const addresses = ["10.1.0.3", "fd00:1::3"];
        expect(net.addressesOf(two, "eth0")).toEqual(["10.1.0.3/24", "fd00:1::3/64"]);
        for (const address of addresses)
          expect(await net.ping(one, address)).toMatchObject({ reached: true });
        for (const pod of [one, two]) await succeed(worker, "check", "net1", pod.path);
        for (const pod of [one, two, two]) await succeed(worker, "del", "net1", pod.path);
        expect([worker.leases(), worker.records()]).toEqual([{}, []]);
        for (const pod of [one, two]) expect(net.linksOf(pod)).not.toContain("eth0");
      });
    }

    // The main plugins of most distributions don't speak 1.1.0: kube-node stands alone here.
    it("asks for status, and collects garbage, in CNI 1.1.0", async () => {
      const alone = { type: "kube-node", ipam: worker.ipam() };
      writeList(worker, "1.1.0", alone);
      const pod = makePod();
      await succeed(worker, "status", "net1", pod.path);
      const { json } = await succeed(worker, "add", "net1", pod.path);
      expect(json).toMatchObject({ cniVersion: "1.1.0", ips: [{ address: "10.1.0.2/24" }, {}] });
      await worker.add({ id: "other" });
      // libcni deletes what it remembers itself, and its GC, which names no valid attachments, frees nothing more.
      await succeed(worker, "gc", "net1", pod.path);
      expect(worker.leases()).toEqual({ "10.1.0.3": "other eth0", "fd00:1::3": "other eth0" });
      expect(worker.records()).toEqual(["other:eth0"]);
      await succeed(worker, "del", "net1", pod.path);
    });

    it("says what kube-node says", async () => {
      const alone = { type: "kube-node", ipam: worker.ipam({ annotation: "net1" }) };
      writeList(worker, "1.1.0", alone);
      const pod = makePod();
      for (const verb of ["add", "status"]) {
        const answer = await run(worker, verb, "net1", pod.path);
        expect(answer.exitCode).not.toBe(0);
        expect(answer.stdout + answer.stderr).toContain(`Node ${worker.name} has no annotation net1`);
      }
      await succeed(worker, "del", "net1", pod.path);
    });
  });
});
