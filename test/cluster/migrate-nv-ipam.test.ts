// Three nodes move in from nv-ipam while pods come and go, and back: no address changes, none is doubled, none lost.
import { rmSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Client, createClient } from "../../src/kube/client.ts";
import { readConnection } from "../../src/kube/connection.ts";
import { createNetwork, defineNetworks } from "../parts/cluster-objects.ts";
import {
  createNvIpamPool,
  holdNvIpamLease,
  installNvIpamResources,
  nvIpamPath,
} from "../parts/nv-ipam-resources.ts";
import { executables } from "../parts/plugin.ts";
import { clusterTools, root, whatLacks } from "../parts/tools.ts";
import { isForeign, runKubectl } from "./cluster.ts";
import { type Fleet, makeFleet } from "./fleet.ts";
import { buildImage } from "./image.ts";
import { addressesOnNode, type ListedPod } from "./ledger.ts";
import { deployment, namespace } from "./manifests.ts";
import {
  buildOldNvIpam,
  cleanNvStore,
  hasOurs,
  installOldNvIpam,
  type NvBlock,
  putBackOldNvIpam,
  readNvStore,
  runOldDaemon,
  tellBlocks,
} from "./nv-node.ts";
import { bringUp, type OwnCluster } from "./own-cluster.ts";

const foreign = isForeign ? { missing: "a cluster of our own: this test installs a primary network" } : {};
const lack = whatLacks(foreign, clusterTools(), root());
const nodes = ["node-1", "node-2", "node-3"];
const size = 60;
const minutes = 60_000;
const home = "move-test";
const [gateway, prefix] = ["172.20.0.1", 16];
const spec = { subnet: "172.20.0.0/16", perNodeBlockSize: 40, gateway };
const blocks: NvBlock[] = nodes.map((_, index) => ({
  startIP: `172.20.0.${40 * index + 1}`,
  endIP: `172.20.0.${40 * index + 40}`,
  gateway,
  prefix,
  exclusions: [],
}));
const allocations = blocks.map(({ startIP, endIP }, index) => ({
  nodeName: nodes[index] as string,
  startIP,
  endIP,
}));
/** Of nv-ipam's, and read so by ours. */
const network = {
  ...{ cniVersion: "1.0.0", name: "net1", type: "macvlan", master: "eth0", mode: "bridge" },
  ipam: { type: "nv-ipam", poolName: "net1" },
};

type Exclusion = { startIP: string; endIP: string };

/** All of its addresses, in the last byte of which alone they differ. */
function range({ startIP, endIP }: Exclusion): string[] {
  const [network, first, last] = [startIP.replace(/\d+$/, ""), lastOf(startIP), lastOf(endIP)];
  return Array.from({ length: last - first + 1 }, (_, index) => `${network}${first + index}`);
}

const lastOf = (address: string) => Number(address.split(".")[3]);

describe.skipIf(lack.some)(`moving in from nv-ipam on a real cluster${lack.words}`, () => {
  let cluster: OwnCluster;
  let kubectl: ReturnType<typeof runKubectl>;
  let client: Client;
  let fleet: Fleet;
  let old: string;
  /** Of nv-ipam's controller, once it runs again. */
  let lease: NodeJS.Timeout | undefined;

  beforeAll(async () => {
    const [image] = await Promise.all([buildImage(), openCluster()]);
    await cluster.run(["load", image]);
    old = await buildOldNvIpam();
    await defineNetworks(client);
    await kubectl(["apply", "-k", "examples/agent/overlays/primary"]);
    await kubectl(["apply", "-f", "examples/agent/overlays/multus/rights.yaml"]);
    await rollOut("daemonset/kube-node-agent", "kube-node");
    await kubectl(["wait", "--for=condition=Ready", "nodes", "--all", "--timeout=90s"]);
    await kubectl(["apply", "-f", "-"], namespace(home));
    await createNetwork(client, `${home}/net1`, network);
    await kubectl(["apply", "-f", "-"], deployment(home, "web", "busybox:local", size));
    fleet = makeFleet(cluster, kubectl, home, size, network, tellStatus);
  }, 10 * minutes);
  afterAll(async () => {
    clearInterval(lease);
    if (old) rmSync(dirname(old), { recursive: true });
    await cluster?.down();
  }, 3 * minutes);

  async function openCluster(): Promise<void> {
    cluster = await bringUp(clusterTools().path as string, nodes.length);
    const { KUBECONFIG = "", KUBECACHEDIR = "", KUBEBUILDER_ASSETS } = cluster.environment;
    kubectl = runKubectl(`${KUBEBUILDER_ASSETS}/kubectl`, { KUBECONFIG, KUBECACHEDIR });
    client = await createClient(await readConnection({ env: { KUBECONFIG } }));
  }

  /** As Multus: from there it is known who lives where. */
  async function tellStatus({ name }: ListedPod, address: string): Promise<void> {
    const status = JSON.stringify([{ name: `${home}/net1`, interface: "net1", ips: [address] }]);
    const annotations = { "k8s.v1.cni.cncf.io/network-status": status };
    await client.patch(`/api/v1/namespaces/${home}/pods/${name}`, { metadata: { annotations } }, "merge");
  }

  const rollOut = (what: string, where: string) =>
    kubectl(["rollout", "status", what, "-n", where, "--timeout=240s"]);

  async function eachNode(work: (node: string, index: number) => Promise<void> | void): Promise<void> {
    for (const [index, node] of nodes.entries()) await work(node, index);
  }

  /** `kubectl kube-node migrate nv-ipam …`: how each of its steps stands. */
  async function migrate(...words: string[]): Promise<Record<string, string>> {
    const [file = "", ...args] = executables()[0]?.command("kubectl-kube_node") ?? [];
    const env = { KUBECONFIG: cluster.environment["KUBECONFIG"] ?? "" };
    const command = [...args, "migrate", "nv-ipam", "--yes", "--output=json", ...words];
    const { stdout, stderr } = await execa(file, command, { env, reject: false });
    if (stdout === "") throw new Error(`migrate ${words.join(" ")} says no step: ${stderr}`);
    const { steps } = JSON.parse(stdout) as { steps: { title: string; state: string; words: string[] }[] };
    return Object.fromEntries(steps.map(({ title, state, words }) => [title, [state, ...words].join(": ")]));
  }

  /** Again and again, as a person would do it, until nothing waits, but for what is named. */
  async function migrateUntilDone(words: string[], but?: string): Promise<void> {
    const open = async () => {
      const steps = Object.entries(await migrate(...words));
      return steps.filter(([title, state]) => title !== but && /^(waits|failed)/.test(state));
    };
    await expect.poll(open, { timeout: 2 * minutes, interval: 2000 }).toEqual([]);
  }

  /** Agents with this argument or without it; each node's as it is told to, one by one. */
  async function changeAgents(op: "add" | "remove", argument: string): Promise<void> {
    const path = "/spec/template/spec/containers/0/args";
    const agent = ["daemonset", "kube-node-agent", "-n", "kube-node"];
    const shown = await kubectl(["get", ...agent, "-o", "jsonpath={.spec.template.spec.containers[0].args}"]);
    const args = (JSON.parse(shown) as string[]).filter((one) => one !== argument);
    const value = op === "add" ? [...args, argument] : args;
    const patch = [
      { op: "replace", path: "/spec/updateStrategy", value: { type: "OnDelete" } },
      { op: "replace", path, value },
    ];
    await kubectl(["patch", ...agent, "--type=json", `--patch=${JSON.stringify(patch)}`]);
  }

  async function renewAgent(node: string): Promise<void> {
    const on = ["-n", "kube-node", "-l", "app.kubernetes.io/name=kube-node-agent"];
    const here = `--field-selector=spec.nodeName=${node}`;
    const agent = () => kubectl(["get", "pods", ...on, here, "-o", "name"]);
    const before = await agent();
    await kubectl(["delete", "pods", ...on, here]);
    await expect.poll(agent, { timeout: 60_000, interval: 500 }).not.toMatch(new RegExp(`^$|${before}`));
    await kubectl(["wait", "--for=condition=Ready", "pods", ...on, here, "--timeout=120s"]);
  }

  /** nv-ipam's daemon ends there, and the agent puts our executable in the place of its plugin. */
  async function moveNode(node: string): Promise<void> {
    runOldDaemon(cluster, node, false);
    if (node === nodes[0]) await adopt(node);
    fleet.serve(node, "ours");
    await renewAgent(node);
    await expect.poll(() => hasOurs(cluster, node), { timeout: 60_000, interval: 500 }).toBe(true);
  }

  /** Before the first ADD, as an administrator may; on the other nodes it is left to the agent. */
  async function adopt(node: string): Promise<void> {
    const words = `printf %s '${JSON.stringify(network)}' >/tmp/net1.json; /opt/cni/bin/kube-node adopt --from=nv-ipam --conf=/tmp/net1.json`;
    expect(await cluster.run(["exec", node, "--", "sh", "-c", words])).toContain("net1");
  }

  /** Pods come and go until `work` is done, and some more. */
  async function whilePodsComeAndGo(work: () => Promise<void>): Promise<void> {
    let isDone = false;
    const working = work().finally(() => {
      isDone = true;
    });
    while (!isDone) await fleet.turn(3);
    await working;
    for (let left = 4; left > 0; left--) await fleet.turn(4);
  }

  /** What lives, what interfaces have, and what `listHeld` says is the same on each node. */
  async function expectSameEverywhere(listHeld: (node: string) => Promise<string[]>): Promise<void> {
    expect(fleet.faults).toEqual([]);
    await eachNode(async (node) => {
      const own = fleet.living().filter(({ pod }) => pod.node === node);
      const wanted = own.map(({ address }) => address).sort();
      const look = async () => (await addressesOnNode(cluster, node, "net1", "net1")).used;
      await expect.poll(look, { timeout: 60_000, interval: 1000 }).toEqual(wanted);
      expect(await listHeld(node)).toEqual(wanted);
    });
  }

  const heldByOld = async (node: string) => {
    const { pools } = await readNvStore(cluster, node);
    const entries = Object.values(pools["net1"]?.entries ?? {});
    return entries.map(({ ip_address }) => ip_address).sort();
  };
  const heldByOurs = async (node: string) => (await addressesOnNode(cluster, node, "net1", "net1")).leased;

  const exclusions = async () =>
    (await client.get<{ spec: { exclusions?: Exclusion[] } }>(nvIpamPath("IPPool", "net1"))).spec
      .exclusions ?? [];

  /** Nv-ipam's daemon and plugin are there again; what it has of pods that are gone, it frees. */
  async function returnNode(node: string, index: number): Promise<void> {
    const living = new Set(fleet.living().map(({ pod }) => pod.uid));
    await cleanNvStore(cluster, node, (uid) => living.has(uid));
    tellBlocks(cluster, node, { net1: { ...(blocks[index] as NvBlock), exclusions: await exclusions() } });
    putBackOldNvIpam(cluster, node);
    runOldDaemon(cluster, node, true);
    fleet.serve(node, "old");
  }

  /** Once more under nv-ipam: what it gave, and what it must not give for the sake of pods that live. */
  async function heldByBoth(node: string): Promise<string[]> {
    const own = fleet.living().filter(({ pod }) => pod.node === node);
    const kept = (await exclusions()).map((one) => range(one));
    const excluded = own
      .map(({ address }) => address)
      .filter((address) => kept.some((all) => all.includes(address)));
    return [...new Set([...(await heldByOld(node)), ...excluded])].sort();
  }

  it(
    "under nv-ipam every pod gets an address of its node's block",
    async () => {
      await installNvIpamResources(client);
      await createNvIpamPool(client, "IPPool", "net1", spec, allocations);
      await eachNode((node, index) => {
        installOldNvIpam(cluster, node, old);
        tellBlocks(cluster, node, { net1: blocks[index] as NvBlock });
        fleet.serve(node, "old");
      });
      await fleet.attachAll();
      await fleet.turn(4);
      await expectSameEverywhere(heldByOld);
      expect(fleet.living()).toHaveLength(size);
    },
    6 * minutes,
  );

  it(
    "moved while pods come and go: controller, allocations, then node after node",
    async () => {
      await whilePodsComeAndGo(async () => {
        await kubectl(["apply", "-k", "examples/controller/overlays/serve-nv-ipam"]);
        await rollOut("deployment/kube-node-controller", "kube-node");
        await migrateUntilDone([]);
        await changeAgents("add", "--nv-ipam");
        await eachNode(async (node) => {
          await moveNode(node);
          await sleep(3000);
        });
      });
      await expectSameEverywhere(heldByOurs);
      expect(fleet.crossings.get("ADD by old, DEL by ours")).toBeGreaterThan(0);
    },
    10 * minutes,
  );

  it(
    "its objects become ours while pods come and go",
    async () => {
      await whilePodsComeAndGo(async () => {
        await migrateUntilDone(["--to-group", "--finish"]);
      });
      await expectSameEverywhere(heldByOurs);
      expect(await kubectl(["get", "ippools.nv-ipam.nvidia.com", "-A", "-o", "name"])).toBe("");
    },
    8 * minutes,
  );

  it(
    "and back, while pods come and go: nv-ipam's objects and stores have what lives, and nothing of ours is left",
    async () => {
      await whilePodsComeAndGo(async () => {
        await kubectl(["scale", "deployment", "kube-node-controller", "-n", "kube-node", "--replicas=0"]);
        const holder = ["get", "lease", "kube-node-controller", "-n", "kube-node"];
        const held = () => kubectl([...holder, "-o", "jsonpath={.spec.holderIdentity}"]);
        await expect.poll(held, { timeout: 30_000, interval: 500 }).toBe("");
        const theirs = "nv-ipam's controller and its daemon run again";
        await migrateUntilDone(["--back"], theirs);
        await changeAgents("remove", "--nv-ipam");
        await eachNode(renewAgent);
        await fleet.whileQuiet(nodes, async () => {
          await migrateUntilDone(["--back"], theirs); // Now for the addresses of those who live.
          await eachNode(returnNode);
        });
      });
      await expectSameEverywhere(heldByBoth);
      lease = setInterval(() => void holdNvIpamLease(client, "nv-ipam-controller-0"), 2000);
      await migrateUntilDone(["--back", "--finish"]);
      expect(await kubectl(["get", "nodeblocks", "-o", "name"])).toBe("");
      const shown = [
        "get",
        "ippools.nv-ipam.nvidia.com",
        "net1",
        "-n",
        "kube-system",
        "-o",
        "jsonpath={.status.allocations}",
      ];
      expect(JSON.parse(await kubectl(shown))).toEqual(allocations);
      await fleet.turn(4);
      await expectSameEverywhere(heldByBoth);
    },
    10 * minutes,
  );

  it(
    "when all pods have gone, nothing is left in nv-ipam's stores",
    async () => {
      await fleet.detach(fleet.living());
      await expectSameEverywhere(heldByBoth);
      expect([...fleet.crossings.keys()].sort()).toEqual([
        "ADD by old, DEL by old",
        "ADD by old, DEL by ours",
        "ADD by ours, DEL by old",
        "ADD by ours, DEL by ours",
      ]);
      await kubectl(["delete", "namespace", home, "--timeout=150s"]);
      const excluded = async () => {
        await migrate("--back").catch(() => {}); // With nothing left to give back it says no steps.
        return await exclusions();
      };
      await expect.poll(excluded, { timeout: 60_000, interval: 2000 }).toEqual([]);
    },
    5 * minutes,
  );
});
