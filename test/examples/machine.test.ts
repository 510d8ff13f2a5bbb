// The examples as they stand, run by the real main plugins on a machine of their own.
import { execaSync } from "execa";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import * as net from "../parts/namespace.ts";
import {
  firstProgram,
  inPath,
  mainPlugins,
  namespaces,
  type Requirement,
  whatLacks,
} from "../parts/tools.ts";
import { addressesIn, expectSilence } from "../real/parts/answers.ts";
import { type NodeNamespace, startNodeNamespace } from "../real/parts/node-namespace.ts";
import { annotationOf } from "../real/parts/pooled-worker.ts";
import { privateMounts } from "../real/parts/private-mounts.ts";
import { describeHostLocals } from "../real/parts/subjects.ts";
import { pluginsOf } from "./parts/documents.ts";
import { type Call, type Machine, makeMachine } from "./parts/machine.ts";

const podCIDRs = ["11.0.1.0/24", "1100:0:0:1::/64"];
const annotations = {
  "kube-node.nordix.org/net1": "172.20.2.0/24,fd00::2:0:0/96",
  "example.com/ipvlan-ranges": 'ranges: [[{subnet: "172.16.5.0/24"}]]',
};

const rightToRun = [mainPlugins(), namespaces(), privateMounts()];
const lack = whatLacks(...rightToRun);

let nodeNamespace: NodeNamespace;
beforeAll(async () => {
  if (lack.some) return;
  nodeNamespace = await startNodeNamespace();
  net.connect(
    { namespace: nodeNamespace.node, link: "eth0" },
    { namespace: nodeNamespace.node, link: "far" },
  );
});
afterAll(() => nodeNamespace?.close());

/** Pods that go with the test. */
function makePods<Count extends number>(count: Count): net.Namespace[] & { length: Count } {
  const pods = Array.from({ length: count }, () => net.makeNamespace());
  onTestFinished(() => net.removeNamespaces(pods));
  return pods as net.Namespace[] & { length: Count };
}

describeHostLocals("examples", (subject) => {
  const make = () => makeMachine(nodeNamespace, subject, { podCIDRs, annotations });

  /** ADD, and what undoes it: CHECK and DEL with its result, after which the pod holds nothing. */
  async function add(machine: Machine, file: string, call: Call) {
    const plugins = pluginsOf(file);
    const answer = await machine.run("ADD", plugins, call);
    const addresses = addressesIn(answer);
    const later = { ...call, prevResult: answer.json };
    const end = async () => {
      // portmap 1.1.1 doesn't find its own rules again where a pod has both families.
      const { runtimeConfig: _, ...unmapped } = later;
      expectSilence(await machine.run("CHECK", plugins, unmapped));
      for (let time = 0; time < 2; time++) expectSilence(await machine.run("DEL", plugins, later));
      expect(net.linksOf(call.pod)).not.toContain(call.ifname ?? "eth0");
      const holders = Object.values(machine.leases((plugins[0] as { name: string }).name));
      expect(holders).not.toContain(`${call.pod.name} ${call.ifname ?? "eth0"}`);
    };
    return { answer, addresses, end };
  }

  describe.skipIf(lack.some)(`on a machine${lack.words}`, () => {
    const masquerade = whatLacks(iptables());
    it.skipIf(masquerade.some)(
      `primary: pods reach each other and their gateway, are masqueraded, and have their ports${masquerade.words}`,
      async () => {
        const machine = await make();
        const [one, two] = makePods(2) as [net.Namespace, net.Namespace];
        const runtimeConfig = { portMappings: [{ hostPort: 8080, containerPort: 80, protocol: "tcp" }] };
        const file = "primary/10-kube-node.conflist";
        const first = await add(machine, file, { pod: one, runtimeConfig });
        const second = await add(machine, file, { pod: two });
        expect([first.addresses, second.addresses]).toEqual([
          ["11.0.1.2", "1100:0:0:1::2"],
          ["11.0.1.3", "1100:0:0:1::3"],
        ]);
        expect(net.addressesOf(one, "eth0")).toEqual(["11.0.1.2/24", "1100:0:0:1::2/64"]);
        for (const address of ["11.0.1.3", "1100:0:0:1::3", "11.0.1.1", "1100:0:0:1::1"]) {
          const { reached, words } = await net.ping(one, address);
          expect(reached, words).toBe(true);
        }
        expect(net.linksOf(nodeNamespace.node)).toContain("cni0");
        expect(defaultRoutes(one)).toEqual(["11.0.1.1", "1100:0:0:1::1"]);
        expect(hairpins(first.answer.json)).toBe("1");
        const rules = onNode("iptables", "-t", "nat", "-S");
        expect(rules).toMatch(/-A POSTROUTING -s 11\.0\.1\.2/);
        expect(rules).toMatch(/--dport 8080 .*--to-destination 11\.0\.1\.2:80/);
        for (const { end } of [first, second]) await end();
        expect(machine.leases("k8snet")).toEqual({});
        expect(onNode("iptables", "-t", "nat", "-S")).not.toMatch(/11\.0\.1\.2/);
      },
    );

    it("gated: a listed namespace has both families, any other IPv6 alone", async () => {
      const machine = await make();
      const [listed, other] = makePods(2) as [net.Namespace, net.Namespace];
      const file = "gated/10-kube-node.conflist";
      const both = await add(machine, file, { pod: listed, namespace: "old-application" });
      const six = await add(machine, file, { pod: other, namespace: "web" });
      expect([both.addresses, six.addresses]).toEqual([["11.0.1.2", "1100:0:0:1::2"], ["1100:0:0:1::3"]]);
      expect(net.addressesOf(other, "eth0")).toEqual(["1100:0:0:1::3/64"]);
      expect(net.linksOf(nodeNamespace.node)).toContain("cni0");
      expect([defaultRoutes(listed), defaultRoutes(other)]).toEqual([
        ["11.0.1.1", "1100:0:0:1::1"],
        ["1100:0:0:1::1"],
      ]);
      expect(await net.ping(other, "1100:0:0:1::2")).toMatchObject({ reached: true });
      for (const { end } of [both, six]) await end();
    });
  });

  describe("pooled", () => {
    const noLink = whatLacks(...rightToRun, lack.some ? {} : net.linkKind("macvlan"));

    it.skipIf(noLink.some)(
      `pods have addresses of both pools, with their prefix lengths, and reach each other${noLink.words}`,
      async () => {
        const machine = await make();
        const uid = (await nodeNamespace.server.getNode("worker-1"))?.metadata.uid ?? "";
        const gateway = "172.31.0.1";
        const v4 = { subnet: "172.31.0.0/16", ranges: ["172.31.0.5-172.31.0.128"], gateway };
        const v6 = { subnet: "fd00:31::/64", ranges: ["fd00:31::1-fd00:31::80"] };
        for (const [name, block] of Object.entries({ "storage-v4": v4, "storage-v6": v6 })) {
          const annotation = annotationOf({ name, blocks: [block] }, uid);
          await nodeNamespace.server.setAnnotation("worker-1", ...annotation);
        }
        const [one, two] = makePods(2) as [net.Namespace, net.Namespace];
        const file = "pooled/10-kube-node.conflist";
        const first = await add(machine, file, { pod: one });
        const second = await add(machine, file, { pod: two });
        expect(net.addressesOf(one, "eth0")).toEqual(["172.31.0.5/16", "fd00:31::1/64"]);
        expect(second.addresses).toEqual(["172.31.0.6", "fd00:31::2"]);
        for (const address of second.addresses)
          expect(await net.ping(one, address)).toMatchObject({ reached: true });
        expect(defaultRoutes(one)).toEqual([]);
        for (const { end } of [first, second]) await end();
        expect(machine.leases("storage")).toEqual({});
      },
    );
  });

  describe.each([
    ["secondary", "macvlan", "kube-node", ["172.20.2.2", "fd00::2:0:2"]],
    ["node-annotation", "ipvlan", "node-annotation", ["172.16.5.2"]],
  ])("%s", (folder, kind, program, addresses) => {
    const file = `${folder}/network-attachment-definition.yaml`;
    const noLink = whatLacks(...rightToRun, lack.some ? {} : net.linkKind(kind));

    it.skipIf(noLink.some)(`a second interface by ${kind}${noLink.words}`, async () => {
      const machine = await make();
      const [pod] = makePods(1) as [net.Namespace];
      const added = await add(machine, file, { pod, ifname: "net1" });
      expect(added.addresses).toEqual(addresses);
      expect(kindOf(pod, "net1")).toBe(kind);
      expect(net.addressesOf(pod, "net1").map((cidr) => cidr.replace(/\/.*/, ""))).toEqual(addresses);
      await added.end();
    });

    it.skipIf(lack.some)(
      `the addresses alone, by ${program}, whatever links the kernel has${lack.words}`,
      async () => {
        const machine = await make();
        const [pod] = makePods(1) as [net.Namespace];
        const [plugin] = pluginsOf(file);
        expect(plugin).toMatchObject({ type: kind, master: "eth0", ipam: { type: program } });
        const alone = [{ ...plugin, type: program }] as ReturnType<typeof pluginsOf>;
        const call = { pod, ifname: "net1" };
        expect(addressesIn(await machine.run("ADD", alone, call))).toEqual(addresses);
        expect(Object.keys(machine.leases(plugin?.name ?? ""))).toEqual(addresses);
        for (const verb of ["CHECK", "DEL", "DEL"] as const)
          expectSilence(await machine.run(verb, alone, call));
        expect(machine.leases(plugin?.name ?? "")).toEqual({});
      },
    );
  });
});

/** bridge and portmap run it. */
function iptables(): Requirement {
  const tool = firstProgram(inPath("iptables"), "iptables");
  if (tool.path === undefined || lack.some) return tool;
  const probe = net.makeNamespace("probe");
  const [file, ...words] = net.inside(probe, [tool.path, "-t", "nat", "-S"]);
  const { failed } = execaSync(file as string, words, { reject: false });
  net.removeNamespaces([probe]);
  return failed ? { missing: "iptables that this kernel takes" } : {};
}

function onNode(...command: string[]): string {
  const [file, ...words] = net.inside(nodeNamespace.node, command);
  return execaSync(file as string, words).stdout;
}

/** The gateways of a pod, IPv4's first. */
function defaultRoutes(pod: net.Namespace): string[] {
  return ["-4", "-6"].flatMap((family) => {
    const { stdout } = execaSync("ip", [family, "-j", "-n", pod.name, "route", "show", "default"]);
    return (JSON.parse(stdout || "[]") as { gateway: string }[]).map(({ gateway }) => gateway);
  });
}

/** hairpin_mode of the bridge's port, which is the result's interface on the node that isn't the bridge. */
function hairpins(result: unknown): string {
  const { interfaces } = result as { interfaces: { name: string; sandbox?: string }[] };
  const port = interfaces.find(({ name, sandbox }) => !sandbox && name !== "cni0");
  return onNode("cat", `/sys/class/net/${port?.name}/brport/hairpin_mode`);
}

function kindOf(pod: net.Namespace, link: string): string | undefined {
  const { stdout } = execaSync("ip", ["-j", "-d", "-n", pod.name, "link", "show", "dev", link]);
  return (JSON.parse(stdout) as { linkinfo?: { info_kind: string } }[])[0]?.linkinfo?.info_kind;
}
