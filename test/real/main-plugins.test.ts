// The main plugins run kube-node as a runtime would have them do: real links, addresses and routes in namespaces.
import { execaSync } from "execa";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import * as net from "../parts/namespace.ts";
import { callPlugin, type PluginAnswer } from "../parts/plugin.ts";
import { mainPlugins, namespaces, whatLacks } from "../parts/tools.ts";
import { expectSilence, wordsOf } from "./parts/answers.ts";
import { installPrograms } from "./parts/install.ts";
import { type NodeNamespace, startNodeNamespace } from "./parts/node-namespace.ts";
import { describeHostLocals, describeSubjects, type Subject } from "./parts/subjects.ts";
import { makeWorker, type Worker } from "./parts/worker.ts";

const podCIDRs = ["10.1.0.0/24", "fd00:1::/64"];

let machine: NodeNamespace | undefined;
let node: net.Namespace;
let pods: [net.Namespace, net.Namespace];

beforeAll(async () => {
  if (namespaces().missing) return;
  machine = await startNodeNamespace();
  node = machine.node;
});
afterAll(() => machine?.close());

type Call = { verb: string; pod: net.Namespace; config: { type: string }; prevResult?: unknown };

/** A call of the main plugin on the node, for interface eth0 of a pod. */
function callMain(worker: Worker, { hostLocal }: Subject, call: Call): Promise<PluginAnswer> {
  const { verb, pod, config, prevResult } = call;
  return callPlugin({
    command: net.inside(node, [`${hostLocal.folder}/${config.type}`]),
    verb,
    containerID: pod.name,
    ifname: "eth0",
    netns: pod.path,
    path: worker.path,
    stdin: { cniVersion: "1.0.0", name: "net1", ...config, ...(prevResult !== undefined && { prevResult }) },
  });
}

/** ADD for both pods, what `inspect` finds, CHECK, DEL twice; then nothing is left. */
async function live(
  subject: Subject,
  config: { type: string; ipam: object },
  worker: Worker,
  inspect: () => Promise<void>,
): Promise<void> {
  const results: unknown[] = [];
  for (const pod of pods) {
    const answer = await callMain(worker, subject, { verb: "ADD", pod, config });
    expect(answer, wordsOf(answer)).toMatchObject({ exitCode: 0 });
    results.push(answer.json);
  }
  await inspect();
  for (const [index, pod] of pods.entries()) {
    expectSilence(
      await callMain(worker, subject, { verb: "CHECK", pod, config, prevResult: results[index] }),
    );
  }
  for (const [index, pod] of [...pods, ...pods].entries()) {
    expectSilence(
      await callMain(worker, subject, { verb: "DEL", pod, config, prevResult: results[index % 2] }),
    );
    expect(net.linksOf(pod)).not.toContain("eth0");
  }
  expect([worker.leases(), worker.records()]).toEqual([{}, []]);
}

async function expectPing(from: net.Namespace, ...addresses: string[]): Promise<void> {
  for (const address of addresses) expect(await net.ping(from, address)).toMatchObject({ reached: true });
}

/** "default via 10.1.0.1", without what the kernel adds by itself. */
function routesOf(pod: net.Namespace): string[] {
  type Route = { dst: string; gateway?: string };
  return ["-4", "-6"].flatMap((family) => {
    const { stdout } = execaSync("ip", [family, "-j", "-n", pod.name, "route", "show", "dev", "eth0"]);
    const routes = JSON.parse(stdout || "[]") as Route[];
    return routes.flatMap(({ dst, gateway }) => (gateway ? [`${dst} via ${gateway}`] : []));
  });
}

type Test = (make: (spec: Parameters<typeof makeWorker>[2]) => Promise<Worker>, subject: Subject) => void;

/** Tests of a main plugin that needs links of a kind, with two pods each. */
function describeMain(plugin: string, kind: string, describeAll: typeof describeSubjects, test: Test): void {
  const lack = whatLacks(mainPlugins(), net.linkKind(kind));
  describeAll(plugin, (subject) => {
    describe.skipIf(lack.some)(`in network namespaces${lack.words}`, () => {
      beforeEach(() => {
        pods = [net.makeNamespace("pod1"), net.makeNamespace("pod2")];
      });
      afterEach(() => net.removeNamespaces(pods));
      test(async (spec) => {
        const worker = await makeWorker((machine as NodeNamespace).server, subject, spec);
        installPrograms(subject, worker.bin);
        return worker;
      }, subject);
    });
  });
}

describeMain("bridge", "bridge", describeSubjects, (make, subject) => {
  it("two pods reach each other and their gateway over both families", async () => {
    const worker = await make({ podCIDRs });
    const config = { type: "bridge", bridge: "br0", isDefaultGateway: true, ipam: worker.ipam() };
    await live(subject, config, worker, async () => {
      const [one, two] = pods;
      expect(net.addressesOf(one, "eth0")).toEqual(["10.1.0.2/24", "fd00:1::2/64"]);
      expect(net.addressesOf(two, "eth0")).toEqual(["10.1.0.3/24", "fd00:1::3/64"]);
      expect(net.addressesOf(node, "br0")).toEqual(["10.1.0.1/24", "fd00:1::1/64"]);
      expect(routesOf(one)).toEqual(["default via 10.1.0.1", "default via fd00:1::1"]);
      await expectPing(one, "10.1.0.3", "fd00:1::3", "10.1.0.1", "fd00:1::1");
      await expectPing(two, "10.1.0.2", "fd00:1::2");
    });
  });

  it("a gated pod has IPv6 alone, and what kube-node refuses is the bridge's error", async () => {
    const worker = await make({ podCIDRs });
    const [one, two] = pods;
    const ipam = worker.ipam({ "ipv4-namespaces": ["db"] });
    const config = { type: "bridge", bridge: "br0", isDefaultGateway: true, ipam };
    expect((await callMain(worker, subject, { verb: "ADD", pod: one, config })).exitCode).toBe(0);
    expect(net.addressesOf(one, "eth0")).toEqual(["fd00:1::2/64"]);
    expect(routesOf(one)).toEqual(["default via fd00:1::1"]);
    const wrong = { ...config, ipam: worker.ipam({ annotation: "net1" }) };
    const answer = await callMain(worker, subject, { verb: "ADD", pod: two, config: wrong });
    expect(answer).toMatchObject({
      exitCode: 1,
      json: { code: 103, msg: expect.stringContaining(`Node ${worker.name} has no annotation net1`) },
    });
    for (const pod of [two, one])
      expectSilence(await callMain(worker, subject, { verb: "DEL", pod, config: wrong }));
    expect([one, two].flatMap(net.linksOf)).not.toContain("eth0");
    expect([worker.leases(), worker.records()]).toEqual([{}, []]);
  });
});

describeMain("ptp", "veth", describeHostLocals, (make, subject) => {
  it("two pods reach each other through the node over both families", async () => {
    const worker = await make({ podCIDRs });
    await live(subject, { type: "ptp", ipam: worker.ipam() }, worker, async () => {
      net.allowForwarding(node);
      expect(net.addressesOf(pods[0], "eth0")).toEqual(["10.1.0.2/24", "fd00:1::2/64"]);
      await expectPing(pods[0], "10.1.0.1", "fd00:1::1", "10.1.0.3", "fd00:1::3");
    });
  });
});

for (const [kind, mode] of [
  ["macvlan", "bridge"],
  ["ipvlan", "l2"],
] as const) {
  describeMain(kind, kind, describeHostLocals, (make, subject) => {
    it("a secondary network by annotation: addresses, routes, and pods that reach each other", async () => {
      const ranges = [
        [{ subnet: "10.2.0.0/24", rangeStart: "10.2.0.100", rangeEnd: "10.2.0.109" }],
        [{ subnet: "fd00:2::/64" }],
      ];
      const routes = [
        { dst: "192.168.0.0/16", gw: "10.2.0.1" },
        { dst: "fd00:9::/64", gw: "fd00:2::1" },
      ];
      const worker = await make({ annotations: { "example.com/net1": JSON.stringify({ ranges, routes }) } });
      if (!net.linksOf(node).includes("uplink")) {
        net.connect({ namespace: node, link: "uplink" }, { namespace: node, link: "far" });
      }
      const ipam = worker.ipam({ annotation: "example.com/net1" });
      await live(
        subject,
        { type: kind, master: "uplink", mode, ipam } as { type: string; ipam: object },
        worker,
        async () => {
          expect(net.addressesOf(pods[0], "eth0")).toEqual(["10.2.0.100/24", "fd00:2::2/64"]);
          expect(net.addressesOf(pods[1], "eth0")).toEqual(["10.2.0.101/24", "fd00:2::3/64"]);
          expect(routesOf(pods[0])).toEqual(["192.168.0.0/16 via 10.2.0.1", "fd00:9::/64 via fd00:2::1"]);
          await expectPing(pods[0], "10.2.0.101", "fd00:2::3");
        },
      );
    });
  });
}
