// Agent and controller from their manifests on three nodes; pods of a pooled network get addresses of their node's block, and reach each other.
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseIp } from "../../src/address/ip.ts";
import type { NodeBlock } from "../../src/api/node-block.ts";
import { soak } from "../faults/parts/effort.ts";
import { executables } from "../parts/plugin.ts";
import { checkout, clusterTools, root, whatLacks } from "../parts/tools.ts";
import { attach, detach, type Pod, pooledNetwork } from "./attach.ts";
import { isForeign } from "./cluster.ts";
import { buildImage } from "./image.ts";
import { deployment, namespace } from "./manifests.ts";
import { bringUp, type OwnCluster } from "./own-cluster.ts";

const foreign = isForeign ? { missing: "a cluster of our own: this test installs a primary network" } : {};
const lack = whatLacks(foreign, clusterTools(), root());
const nodes = ["node-1", "node-2", "node-3"];
const minutes = 60_000;
const home = "pools-test";

describe.skipIf(lack.some)(`pools on a real cluster${lack.words}`, () => {
  let cluster: OwnCluster;
  let pods: Pod[] = [];
  const given = new Map<string, string>();

  beforeAll(async () => {
    const [image] = await Promise.all([buildImage(), openCluster()]);
    await cluster.run(["load", image]);
    await kubectl(["apply", "-k", "examples/agent/overlays/primary"]);
    await rollOut("daemonset/kube-node-agent", "kube-node");
    await kubectl(["wait", "--for=condition=Ready", "nodes", "--all", "--timeout=90s"]);
  }, 10 * minutes);
  afterAll(() => cluster?.down(), 3 * minutes);

  async function openCluster(): Promise<void> {
    cluster = await bringUp(clusterTools().path as string, nodes.length);
  }

  async function kubectl(words: string[], input?: object): Promise<string> {
    const { KUBECONFIG = "", KUBECACHEDIR = "", KUBEBUILDER_ASSETS } = cluster.environment;
    const options = {
      env: { KUBECONFIG, KUBECACHEDIR },
      cwd: checkout,
      input: input ? JSON.stringify(input) : "",
    };
    return (await execa(`${KUBEBUILDER_ASSETS}/kubectl`, words, options)).stdout;
  }

  /** `kubectl kube-node …`: exit code and all that it says. */
  async function kubeNode(words: string[]): Promise<{ exitCode: number | undefined; said: string }> {
    const [file = "", ...args] = executables()[0]?.command("kubectl-kube_node") ?? [];
    const env = { KUBECONFIG: cluster.environment["KUBECONFIG"] ?? "" };
    const { exitCode, all } = await execa(file, [...args, ...words], { env, reject: false, all: true });
    return { exitCode, said: all };
  }

  const rollOut = (what: string, where: string) =>
    kubectl(["rollout", "status", what, "-n", where, "--timeout=240s"]);

  async function blocks(): Promise<NodeBlock[]> {
    const text = await kubectl(["get", "nodeblocks", "-o", "json"]);
    return (JSON.parse(text) as { items: NodeBlock[] }).items;
  }

  async function listPods(): Promise<Pod[]> {
    type Shown = { metadata: { name: string; uid: string }; spec: { nodeName: string } };
    const text = await kubectl(["get", "pods", "-n", home, "-l", "app=web", "-o", "json"]);
    return (JSON.parse(text) as { items: Shown[] }).items.map(({ metadata, spec }) => {
      return { ...metadata, namespace: home, node: spec.nodeName, addresses: [] };
    });
  }

  async function attachTo(pod: Pod): Promise<string> {
    const run = (words: string[]) => cluster.run(["exec", pod.node, "--", ...words]);
    const { ips } = await attach(run, pod, pooledNetwork("net1"));
    expect(ips).toHaveLength(1);
    expect(ips[0]?.address).toMatch(/\/16$/); // the pool's own mask
    return ips[0]?.address.split("/")[0] ?? "";
  }

  function isIn({ spec }: NodeBlock, address: string): boolean {
    const [first, last, ip] = [spec.first, spec.last, address].map((text) => parseIp(text)?.value ?? 0n) as [
      bigint,
      bigint,
      bigint,
    ];
    return first <= ip && ip <= last;
  }

  it(
    "the controller runs from its manifests, two of it, and gives each node a block of a pool",
    async () => {
      await kubectl(["apply", "-k", "examples/controller/overlays/own-certificate"]);
      await rollOut("deployment/kube-node-controller", "kube-node");
      await kubectl(["apply", "-f", join("examples", "pools", "ip-pool.yaml")]);
      await kubectl(["wait", "--for=condition=Ready", "ippool/net1", "--timeout=60s"]);
      await expect
        .poll(async () => (await blocks()).map(({ spec }) => spec.nodeName).sort(), { timeout: 30_000 })
        .toEqual(nodes);
      const lease = ["get", "lease", "-n", "kube-node", "kube-node-controller"];
      expect(await kubectl([...lease, "-o", "jsonpath={.spec.holderIdentity}"])).toMatch(
        /^kube-node-controller-/,
      );
    },
    6 * minutes,
  );

  it(
    "the API server asks its webhook: a pool that overlaps is refused as it is applied",
    async () => {
      const other = {
        apiVersion: "ipam.kube-node.io/v1alpha1",
        kind: "IPPool",
        metadata: { name: "net2" },
        spec: { subnet: "172.20.128.0/24", perNodeBlockSize: 16 },
      };
      const apply = () =>
        kubectl(["create", "--dry-run=server", "-f", "-"], other).catch((error: Error) => error.message);
      await expect
        .poll(apply, { timeout: 60_000, interval: 1000 })
        .toMatch(/denied the request.*IPPool net1/);
    },
    2 * minutes,
  );

  it(
    "pods of its network get addresses of their node's block",
    async () => {
      await kubectl(["apply", "-f", "-"], namespace(home));
      await kubectl(["apply", "-f", "-"], deployment(home, "web", "busybox:local", 2 * nodes.length));
      await rollOut("deployment/web", home);
      pods = await listPods();
      const all = await blocks();
      for (const pod of pods) {
        const address = await attachTo(pod);
        const own = all.find(({ spec }) => spec.nodeName === pod.node);
        expect(
          own && isIn(own, address),
          `${address} of ${pod.node}, whose block is ${own?.spec.first}`,
        ).toBe(true);
        given.set(pod.name, address);
      }
      expect(new Set(given.values()).size).toBe(pods.length);
      expect(new Set(pods.map(({ node }) => node)).size).toBe(nodes.length);
    },
    6 * minutes,
  );

  it(
    "and reach each other, on the same node and on others",
    async () => {
      for (const node of nodes) {
        const pod = pods.find((one) => one.node === node) as Pod;
        const others = [...given].filter(([name]) => name !== pod.name).map(([, address]) => address);
        const script = `for a in ${others.join(" ")}; do ping -c 2 -W 5 $a >/dev/null 2>&1 || echo $a; done`;
        expect(await kubectl(["exec", "-n", home, pod.name, "--", "sh", "-c", script])).toBe("");
      }
    },
    3 * minutes,
  );

  it(
    "kubectl kube-node agrees; a block in use can't be deleted by hand",
    async () => {
      expect(await kubeNode(["verify", "--key", "ippool/net1"])).toMatchObject({
        exitCode: 0,
        said: expect.stringContaining("nothing is wrong"),
      });
      expect((await kubeNode(["map", "ippool/net1", "--ascii"])).said).toContain("3 given, 0 closing");
      expect((await kubeNode(["rebuild"])).said).toBe("0 NodeBlocks made, 3 there");
      const [one] = await blocks();
      await expect(kubectl(["delete", "nodeblock", one?.metadata.name ?? ""])).rejects.toThrow(
        /delete-anyway/,
      );
    },
    2 * minutes,
  );

  it(
    "with the leader gone another one leads, and a node that isn't selected any more keeps its pods' addresses",
    async () => {
      const holder = () =>
        kubectl([
          ...["get", "lease", "-n", "kube-node", "kube-node-controller"],
          ...["-o", "jsonpath={.spec.holderIdentity}"],
        ]);
      const before = await holder();
      await kubectl(["delete", "pod", "-n", "kube-node", before, "--wait=false"]);
      await expect.poll(holder, { timeout: 90_000, interval: 1000 }).not.toBe(before);
      const nodeSelector = {
        nodeSelectorTerms: [
          { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "NotIn", values: ["node-3"] }] },
        ],
      };
      const change = JSON.stringify({ spec: { nodeSelector } });
      await kubectl(["patch", "ippool", "net1", "--type=merge", "-p", change]);
      const closing = async () =>
        (await blocks()).filter(({ spec }) => spec.closing).map(({ spec }) => spec.nodeName);
      await expect.poll(closing, { timeout: 90_000, interval: 1000 }).toEqual(["node-3"]);
      const pod = pods.find(({ node }) => node === "node-3") as Pod;
      const other = [...given].find(([name]) => pods.find((one) => one.name === name)?.node === "node-1") as [
        string,
        string,
      ];
      const ping = `ping -c 2 -W 5 ${other[1]} >/dev/null && echo reached`;
      expect(await kubectl(["exec", "-n", home, pod.name, "--", "sh", "-c", ping])).toBe("reached");
    },
    5 * minutes,
  );

  it.skipIf(!soak)(
    `what closes is free once its pods are gone, and another node's then; a deleted pool waits, and goes${soak ? "" : " (skipped without SOAK=1)"}`,
    async () => {
      const brief = {
        apiVersion: "ipam.kube-node.io/v1alpha1",
        kind: "IPPool",
        metadata: { name: "brief" },
        spec: { subnet: "172.30.0.0/24", perNodeBlockSize: 16 },
      };
      await kubectl(["apply", "-f", "-"], brief);
      await kubectl(["wait", "--for=condition=Ready", "ippool/brief", "--timeout=60s"]);
      const of = async (pool: string) => (await blocks()).filter(({ spec }) => spec.pool.name === pool);
      await expect.poll(async () => (await of("brief")).length, { timeout: 30_000 }).toBe(3);
      await kubectl(["delete", "ippool", "brief", "--wait=false"]);
      const before = (await of("net1")).find(({ spec }) => spec.nodeName === "node-3")?.metadata.name ?? "";
      const run = (node: string) => (words: string[]) => cluster.run(["exec", node, "--", ...words]);
      for (const pod of pods.filter(({ node }) => node === "node-3"))
        await detach(run("node-3"), pod, pooledNetwork("net1"));

      const isLeft = async () => (await of("net1")).some(({ spec }) => spec.nodeName === "node-3");
      await expect.poll(isLeft, { timeout: 9 * minutes, interval: 5000 }).toBe(false);
      await expect
        .poll(() => kubectl(["get", "ippools", "-o", "name"]), { timeout: 4 * minutes, interval: 5000 })
        .toBe("ippool.ipam.kube-node.io/net1");
      const annotations = await kubectl(["get", "node", "node-3", "-o", "jsonpath={.metadata.annotations}"]);
      expect(annotations).not.toContain("ippool.ipam.kube-node.io");
      // Pods of the other nodes never noticed.
      for (const pod of pods.filter(({ node }) => node !== "node-3")) {
        const own = (await of("net1")).find(({ spec }) => spec.nodeName === pod.node);
        expect(own && isIn(own, given.get(pod.name) ?? "")).toBe(true);
      }
      await kubectl(["create", "-f", "-"], { apiVersion: "v1", kind: "Node", metadata: { name: "node-4" } });
      await expect
        .poll(
          async () => (await of("net1")).find(({ metadata }) => metadata.name === before)?.spec.nodeName,
          {
            timeout: 30_000,
          },
        )
        .toBe("node-4");
    },
    15 * minutes,
  );
});
