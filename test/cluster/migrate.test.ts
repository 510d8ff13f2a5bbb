// Three nodes move in from host-local's hand-written ranges while pods come and go, and back: no address changes, none is doubled, none lost.
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { poolAnnotationKey } from "../../src/api/pool-names.ts";
import { executables } from "../parts/plugin.ts";
import { runFolder } from "../parts/run-folder.ts";
import { clusterTools, root, whatLacks } from "../parts/tools.ts";
import { callIn, type Network } from "./attach.ts";
import { isForeign, runKubectl } from "./cluster.ts";
import { buildImage } from "./image.ts";
import { addressesOnNode, keepLedger, type Ledger, type ListedPod, listPods } from "./ledger.ts";
import { deployment, namespace } from "./manifests.ts";
import { bringUp, type OwnCluster } from "./own-cluster.ts";
import { type Sandbox, sandboxesOn } from "./sandboxes.ts";

const foreign = isForeign ? { missing: "a cluster of our own: this test installs a primary network" } : {};
const lack = whatLacks(foreign, clusterTools(), root());
const nodes = ["node-1", "node-2", "node-3"];
const perNode = 20;
const minutes = 60_000;
const home = "move-test";
const annotation = "kube-node.nordix.org/k8snet";

describe.skipIf(lack.some)(`moving in on a real cluster${lack.words}`, () => {
  let cluster: OwnCluster;
  let kubectl: ReturnType<typeof runKubectl>;
  let ledger: Ledger;

  beforeAll(async () => {
    const [image] = await Promise.all([buildImage(), openCluster()]);
    await cluster.run(["load", image]);
  }, 8 * minutes);
  afterAll(() => cluster?.down(), 3 * minutes);

  async function openCluster(): Promise<void> {
    cluster = await bringUp(clusterTools().path as string, nodes.length);
    const { KUBECONFIG = "", KUBECACHEDIR = "", KUBEBUILDER_ASSETS } = cluster.environment;
    kubectl = runKubectl(`${KUBEBUILDER_ASSETS}/kubectl`, { KUBECONFIG, KUBECACHEDIR });
  }

  const rollOut = (what: string, where: string) =>
    kubectl(["rollout", "status", what, "-n", where, "--timeout=240s"]);

  const podCIDRsOf = async (node: string) =>
    (await kubectl(["get", "node", node, "-o", "jsonpath={.spec.podCIDRs[*]}"])).split(" ");

  /** Host-local's ranges as somebody wrote them for this node: not the whole of its IPv4 network. */
  async function rangesOf(node: string): Promise<object[][]> {
    const [four = "", six = ""] = await podCIDRsOf(node);
    const at = (last: number) => four.replace(/\.0\/24$/, `.${last}`);
    return [[{ subnet: four, rangeStart: at(10), rangeEnd: at(200) }], [{ subnet: six }]];
  }

  async function configure(node: string, ipam: object): Promise<void> {
    const folder = confOf(node);
    const routes = [{ dst: "0.0.0.0/0" }, { dst: "::/0" }];
    const bridge = { type: "bridge", bridge: "cni0", isGateway: true, hairpinMode: true };
    const portmap = { type: "portmap", capabilities: { portMappings: true } };
    const list = {
      cniVersion: "1.0.0",
      name: "k8snet",
      plugins: [{ ...bridge, ipam: { ...ipam, routes } }, portmap],
    };
    writeFileSync(join(folder, ".new"), JSON.stringify(list, null, 2));
    renameSync(join(folder, ".new"), join(folder, "10-k8snet.conflist"));
  }

  const configureOld = async (node: string) =>
    configure(node, { type: "host-local", ranges: await rangesOf(node) });
  const configureOurs = (node: string) =>
    configure(node, { type: "kube-node", kubeconfig: "/etc/cni/net.d/kube-node.d/kubeconfig", annotation });

  /** All nodes' files, as an administrator collects them, become annotations or a pool. */
  async function importRanges(word: string, textOf: (node: string) => string): Promise<string> {
    const folder = mkdtempSync(join(runFolder(), "nodes-"));
    for (const node of nodes) {
      mkdirSync(join(folder, node));
      writeFileSync(join(folder, node, "10-network.conflist"), textOf(node));
    }
    const [file = "", ...args] = executables()[0]?.command("kubectl-kube_node") ?? [];
    const env = { KUBECONFIG: cluster.environment["KUBECONFIG"] ?? "" };
    const { all } = await execa(file, [...args, "import", "ranges", folder, word, "--yes"], {
      env,
      all: true,
    });
    rmSync(folder, { recursive: true });
    return all;
  }

  const textOf = (node: string) => readFileSync(join(confOf(node), "10-k8snet.conflist"), "utf8");

  const confOf = (node: string) =>
    cluster.environment[`${node.toUpperCase().replaceAll("-", "_")}_CNI_CONF`] as string;

  /** Some of the pods go, and others come, until `work` is done, and for `after` turns more. */
  async function whilePodsComeAndGo(work: () => Promise<void>, after = 5): Promise<void> {
    let isDone = false;
    const working = work().finally(() => {
      isDone = true;
    });
    const turn = async () => {
      const staying = (await listPods(kubectl, home)).filter(({ isLeaving }) => !isLeaving);
      const some = staying.sort(() => Math.random() - 0.5).slice(0, 3);
      await kubectl(["delete", "pods", "-n", home, "--wait=false", ...some.map(({ name }) => name)]);
      await sleep(1000);
    };
    while (!isDone) await turn();
    await working;
    for (let left = after; left > 0; left--) await turn();
    await rollOut("deployment/web", home);
  }

  /** Pods, stores and namespaces tell of the same addresses, once those who leave have left. */
  async function expectSameEverywhere(): Promise<void> {
    for (const node of nodes) {
      const look = async () => {
        const pods = (await listPods(kubectl, home)).filter((pod) => pod.node === node);
        const shown = pods.flatMap(({ addresses }) => addresses).sort();
        const { leased, used } = await addressesOnNode(cluster, node, "k8snet", "eth0");
        return {
          leased: differs(leased, shown),
          used: differs(used, shown),
          pods: pods.some((p) => p.isLeaving),
        };
      };
      await expect
        .poll(look, { timeout: 90_000, interval: 1000 })
        .toEqual({ leased: [], used: [], pods: false });
    }
    expect(ledger.faults).toEqual([]);
  }

  /** Whose records there are of pods that live: ours has one of each that it gave an address to. */
  async function servedByUs(): Promise<number> {
    const folder = "/var/lib/cni/networks/.kube-node/k8snet/attachments";
    const count = async (node: string) =>
      Number(await cluster.run(["exec", node, "--", "sh", "-c", `ls ${folder} | grep -c eth0`]));
    return (await Promise.all(nodes.map(count))).reduce((sum, one) => sum + one, 0);
  }

  async function stayingPods(): Promise<Map<string, string[]>> {
    const pods = await listPods(kubectl, home);
    return new Map(pods.map(({ uid, addresses }) => [uid, addresses]));
  }

  it(
    `under host-local ${perNode} pods a node get addresses of ranges that somebody wrote`,
    async () => {
      for (const node of nodes) await configureOld(node);
      await kubectl(["wait", "--for=condition=Ready", "nodes", "--all", "--timeout=90s"]);
      await kubectl(["apply", "-f", "-"], namespace(home));
      await kubectl(["apply", "-f", "-"], deployment(home, "web", "busybox:local", perNode * nodes.length));
      await rollOut("deployment/web", home);
      ledger = keepLedger(kubectl, home);
      await expectSameEverywhere();
      expect((await listPods(kubectl, home)).length).toBe(perNode * nodes.length);
    },
    6 * minutes,
  );

  it(
    "moved to kube-node while pods come and go: those who stay keep their addresses, and none is doubled or lost",
    async () => {
      const before = await stayingPods();
      await whilePodsComeAndGo(async () => {
        const said = await importRanges(`--annotation=${annotation}`, textOf);
        for (const node of nodes) expect(said).toContain(node);
        await kubectl(["apply", "-k", "examples/agent/base"]);
        await rollOut("daemonset/kube-node-agent", "kube-node");
        for (const node of nodes) await configureOurs(node);
        // Before any ADD, as an administrator may; else the first ADD does it.
        const adopt = ["/opt/cni/bin/kube-node", "adopt", "--from=host-local", "--network=k8snet"];
        await cluster.run(["exec", nodes[0] as string, "--", ...adopt]);
      });
      await expectSameEverywhere();
      const after = await stayingPods();
      const stayed = [...after.keys()].filter((uid) => before.has(uid));
      expect(stayed.length).toBeGreaterThan(0);
      for (const uid of stayed) expect(after.get(uid)).toEqual(before.get(uid));
      expect(await servedByUs()).toBe(perNode * nodes.length);
    },
    10 * minutes,
  );

  it(
    "a second network's hand-written ranges become a pool: each node goes on in what it had, with the pods that it has there",
    async () => {
      const parts = new Map(nodes.map((node, index) => [node, `172.21.${[3, 1, 7][index]}`]));
      const net2 = (ipam: object): Network => ({
        ...{ cniVersion: "1.0.0", name: "net2", type: "macvlan", master: "eth0", mode: "bridge" },
        ipam,
      });
      const byHand = (node: string) => {
        const net = parts.get(node);
        const ends = { rangeStart: `${net}.20`, rangeEnd: `${net}.99`, gateway: `${net}.1` };
        return net2({ type: "host-local", subnet: `${net}.0/24`, ...ends });
      };
      const kubeconfig = "/etc/cni/net.d/kube-node.d/kubeconfig";
      const ours = net2({ type: "kube-node", kubeconfig, pool: "net2", poolType: "cidrpool" });
      const call = async (verb: string, pod: ListedPod, network: Network) => {
        const run = (words: string[]) => cluster.run(["exec", pod.node, "--", ...words]);
        const sandbox = (await sandboxesOn(cluster, pod.node)).get(pod.uid) as Sandbox;
        return await callIn(sandbox, verb, run, pod, network);
      };
      const addressOf = async (pod: ListedPod, network: Network) =>
        (JSON.parse(await call("ADD", pod, network)) as { ips: { address: string }[] }).ips[0]?.address;
      const pods = (await listPods(kubectl, home)).filter(({ isLeaving }) => !isLeaving);
      const oneOfEach = (at: number) =>
        nodes.map((node) => pods.filter((pod) => pod.node === node)[at] as ListedPod);
      const [old, fresh] = [oneOfEach(0), oneOfEach(1)];
      for (const pod of old) {
        expect(await addressOf(pod, byHand(pod.node))).toBe(`${parts.get(pod.node)}.20/24`);
      }
      await kubectl(["apply", "-k", "examples/controller/crds"]);
      const pool = await importRanges("--pool=net2", (node) => JSON.stringify(byHand(node)));
      expect(pool).toContain("cidrpool/net2 made, with the blocks of 3 nodes");
      await kubectl(["apply", "-k", "examples/controller/base"]);
      await rollOut("deployment/kube-node-controller", "kube-node");
      const key = poolAnnotationKey({ kind: "CIDRPool", name: "net2" }).replaceAll(".", "\\.");
      for (const node of nodes) {
        const show = ["get", "node", node, "-o", `jsonpath={.metadata.annotations.${key}}`];
        const net = parts.get(node);
        await expect
          .poll(() => kubectl(show), { timeout: 60_000, interval: 500 })
          .toContain(`"ranges":["${net}.20-${net}.99"]`);
      }
      for (const pod of fresh) {
        expect(await addressOf(pod, ours)).toBe(`${parts.get(pod.node)}.21/24`);
      }
      for (const pod of [...old, ...fresh]) await call("DEL", pod, ours);
      for (const node of nodes)
        expect(await addressesOnNode(cluster, node, "net2", "net1")).toEqual({ leased: [], used: [] });
      // Its pods have addresses, too, and are none of those that are counted.
      const controller = ["-n", "kube-node", "-l", "app.kubernetes.io/name=kube-node-controller"];
      await kubectl(["scale", "deployment", "kube-node-controller", "-n", "kube-node", "--replicas=0"]);
      await kubectl(["wait", "--for=delete", "pods", ...controller, "--timeout=90s"]);
    },
    5 * minutes,
  );

  it(
    "and back, while pods come and go",
    async () => {
      await whilePodsComeAndGo(async () => {
        for (const node of nodes) await configureOld(node);
      });
      await expectSameEverywhere();
    },
    6 * minutes,
  );

  it(
    "with all pods gone nothing is left in any store or namespace",
    async () => {
      await ledger.stop();
      await kubectl(["delete", "namespace", home, "--timeout=150s"]);
      for (const node of nodes)
        await expect
          .poll(() => addressesOnNode(cluster, node, "k8snet", "eth0"), { timeout: 60_000, interval: 500 })
          .toEqual({ leased: [], used: [] });
      expect(ledger.faults).toEqual([]);
      expect(ledger.seen.size).toBeGreaterThan(perNode * nodes.length);
    },
    4 * minutes,
  );
});

/** What is in one of them and not in the other. */
function differs(found: string[], wanted: string[]): string[] {
  return [...found.filter((one) => !wanted.includes(one)), ...wanted.filter((one) => !found.includes(one))];
}
