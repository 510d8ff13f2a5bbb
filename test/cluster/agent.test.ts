import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { isIPv6 } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { contains } from "../parts/contains.ts";
import { checkout, clusterTools, root, whatLacks } from "../parts/tools.ts";
import { attach, bridgeNetwork, detach, type Pod } from "./attach.ts";
import { isForeign } from "./cluster.ts";
import { buildImage } from "./image.ts";
import { deployment, namespace } from "./manifests.ts";
import { bringUp, type OwnCluster } from "./own-cluster.ts";

const foreign = isForeign ? { missing: "a cluster of our own: this test stops API servers" } : {};
const lack = whatLacks(foreign, clusterTools(), root());
const nodes = ["node-1", "node-2", "node-3"];
const perNode = 20;
const minutes = 60_000;
const install = "kubectl apply -k examples/agent/overlays/primary";
const home = "agent-test";
const annotation = "kube-node.nordix.org/net1";

describe.skipIf(lack.some)(`the agent on a real cluster${lack.words}`, () => {
  let cluster: OwnCluster;
  let before: Record<string, string[]>;
  let pods: Pod[] = [];

  beforeAll(async () => {
    const [image] = await Promise.all([buildImage(), openCluster()]);
    before = Object.fromEntries(nodes.map((node) => [node, listHost(node)]));
    await cluster.run(["load", image]);
  }, 8 * minutes);
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

  /** A command of the README. */
  const shell = (command: string) => kubectl(command.split(" ").slice(1));
  const inNode = (node: string, ...words: string[]) => cluster.run(["exec", node, "--", ...words]);
  const rollOut = (what: string, where: string, seconds = 150) =>
    kubectl(["rollout", "status", what, "-n", where, `--timeout=${seconds}s`]);

  function host(node: string, path: string): string {
    return join(cluster.environment[`${node.toUpperCase().replace("-", "_")}_ROOT`] ?? "", path);
  }

  /** What lies in the folders that the agent writes to. */
  function listHost(node: string): string[] {
    const folders = ["/opt/cni/bin", "/etc/cni/net.d", "/run/kube-node", "/var/lib/cni"];
    return folders.flatMap((folder) =>
      existsSync(host(node, folder))
        ? readdirSync(host(node, folder), { recursive: true, encoding: "utf8" })
            .filter((name) => !statSync(join(host(node, folder), name)).isDirectory())
            .map((name) => join(folder, name))
        : [],
    );
  }

  async function listPods(app: string): Promise<Pod[]> {
    type Shown = {
      metadata: { name: string; uid: string };
      spec: { nodeName: string };
      status: { podIPs?: { ip: string }[] };
    };
    const text = await kubectl(["get", "pods", "-n", home, "-l", `app=${app}`, "-o", "json"]);
    return (JSON.parse(text) as { items: Shown[] }).items.map(({ metadata, spec, status }) => ({
      name: metadata.name,
      uid: metadata.uid,
      namespace: home,
      node: spec.nodeName,
      addresses: status.podIPs?.map(({ ip }) => ip) ?? [],
    }));
  }

  /** Addresses that don't answer. */
  async function silentFrom(pod: Pod, addresses: string[]): Promise<string[]> {
    const script = `for a in ${addresses.join(" ")}; do (ping -c 2 -W 5 $a >/dev/null 2>&1 || echo $a) & done; wait`;
    return (await kubectl(["exec", "-n", home, pod.name, "--", "sh", "-c", script]))
      .split("\n")
      .filter(Boolean);
  }

  const leases = (node: string, network: string): string[] => {
    const folder = host(node, `/var/lib/cni/networks/${network}`);
    return existsSync(folder) ? readdirSync(folder).filter((name) => /^[0-9a-f]+[.:]/.test(name)) : [];
  };
  const secondary = (pod: Pod) =>
    attach((words) => inNode(pod.node, ...words), host(pod.node, ""), pod, bridgeNetwork(annotation));
  const addressesOf = ({ ips }: { ips: { address: string }[] }) =>
    ips.map(({ address }) => address.split("/")[0] ?? "");

  it(
    "installs by the README's command: programs, credentials and the network's configuration on every node",
    async () => {
      expect(readFileSync(join(checkout, "README.md"), "utf8")).toContain(install);
      await shell(install);
      await rollOut("daemonset/kube-node-agent", "kube-node");
      await kubectl(["wait", "--for=condition=Ready", "nodes", "--all", "--timeout=60s"]);
      const files = [
        "/opt/cni/bin/kube-node",
        "/opt/cni/bin/node-annotation",
        "/etc/cni/net.d/10-kube-node.conflist",
      ];
      for (const node of nodes) expect(listHost(node)).toEqual(expect.arrayContaining(files));
    },
    5 * minutes,
  );

  it(
    `${perNode} pods on each of ${nodes.length} nodes get addresses of their Node's podCIDRs`,
    async () => {
      await kubectl(["apply", "-f", "-"], namespace(home));
      await kubectl(["apply", "-f", "-"], deployment(home, "web", "busybox:local", perNode * nodes.length));
      await rollOut("deployment/web", home, 240);
      pods = await listPods("web");
      const all = pods.flatMap(({ addresses }) => addresses);
      expect(new Set(all).size).toBe(2 * perNode * nodes.length);
      for (const node of nodes) {
        const ranges = (await kubectl(["get", "node", node, "-o", "jsonpath={.spec.podCIDRs[*]}"])).split(
          " ",
        );
        const own = pods.filter((pod) => pod.node === node);
        expect(own.length).toBeGreaterThan(perNode / 2);
        for (const address of own.flatMap(({ addresses }) => addresses))
          expect(
            ranges.some((range) => contains(range, address)),
            address,
          ).toBe(true);
      }
    },
    5 * minutes,
  );

  it(
    "they ping each other over both families, within nodes and across",
    async () => {
      const all = pods.flatMap(({ addresses }) => addresses);
      expect(all.filter(isIPv6)).toHaveLength(all.length / 2);
      for (const node of nodes) {
        const pod = pods.find((one) => one.node === node) as Pod;
        expect(await silentFrom(pod, all)).toEqual([]);
      }
    },
    2 * minutes,
  );

  // There is no Multus here: the second interface is made as Multus makes it, by the plugin chain in the pod's namespace.
  it(
    "a second network takes its ranges from an annotation; changed, the next pod has the new ones",
    async () => {
      for (const [index, node] of nodes.entries())
        await kubectl(["annotate", "node", node, `${annotation}=172.20.${index}.0/24,fd20:${index}::/112`]);
      const [first, second, third] = pods.filter(({ node }) => node === "node-1") as [Pod, Pod, Pod];
      await wordHas("172.20.0.0/24");
      const [one, two] = [await secondary(first), await secondary(second)].map(addressesOf) as [
        string[],
        string[],
      ];
      for (const address of [...one, ...two])
        expect(
          ["172.20.0.0/24", "fd20:0::/112"].some((range) => contains(range, address)),
          address,
        ).toBe(true);
      expect(await silentFrom(first, two)).toEqual([]);
      expect(await silentFrom(second, one)).toEqual([]);
      await kubectl(["annotate", "--overwrite", "node", "node-1", `${annotation}=172.21.0.0/24,fd21::/112`]);
      await wordHas("172.21.0.0/24");
      const next = addressesOf(await secondary(third));
      expect(next.map((address) => address.slice(0, 5))).toEqual(["172.2", "fd21:"]);
      expect(contains("172.21.0.0/24", next[0] ?? ""), next[0]).toBe(true);
    },
    2 * minutes,
  );

  async function agentLog(node: string): Promise<string> {
    const pod = ["get", "pods", "-n", "kube-node", `--field-selector=spec.nodeName=${node}`, "-o", "name"];
    return await kubectl(["logs", "-n", "kube-node", await kubectl(pod), "--tail=40"]);
  }

  async function wordHas(range: string): Promise<void> {
    const file = host("node-1", "/run/kube-node/node.json");
    await expect.poll(() => readFileSync(file, "utf8"), { timeout: 5000, interval: 20 }).toContain(range);
  }

  it(
    "no ADD fails while the agents are replaced and pods come and go",
    async () => {
      const faster = ["--grace-period=5s", "--leak-interval=5s"].map((value) => ({
        op: "add",
        path: "/spec/template/spec/containers/0/args/-",
        value,
      }));
      const churn = pods.slice(6 * nodes.length).map(({ name }) => name);
      await kubectl([
        "patch",
        "daemonset",
        "kube-node-agent",
        "-n",
        "kube-node",
        "--type=json",
        `--patch=${JSON.stringify(faster)}`,
      ]);
      let rolling = true;
      const rolled = rollOut("daemonset/kube-node-agent", "kube-node").finally(() => {
        rolling = false;
      });
      let gone = 0;
      while (rolling && gone < churn.length) {
        const some = churn.slice(gone, gone + 4);
        gone += some.length;
        await kubectl(["delete", "pods", "-n", home, "--wait=false", ...some]);
        await sleep(1000);
      }
      await rolled;
      await rollOut("deployment/web", home, 240);
      expect(gone).toBeGreaterThan(0);
      const failed = await kubectl([
        "get",
        "events",
        "-n",
        home,
        "--field-selector=reason=FailedCreatePodSandBox",
        "-o",
        "jsonpath={.items[*].message}",
      ]);
      expect(failed).toBe("");
    },
    6 * minutes,
  );

  it(
    "with the agents killed and the API server stopped, deleted pods' addresses are free afterwards, those that nobody DELs, too",
    async () => {
      const attached = (await listPods("web")).filter(({ node }) => node === "node-2").slice(0, 3);
      const given = (await Promise.all(attached.map(secondary))).flatMap(addressesOf);
      expect(leases("node-2", "net1")).toEqual(expect.arrayContaining(given));
      const live = (await listPods("web")).find(
        ({ node, name }) => node === "node-2" && !attached.some((one) => one.name === name),
      ) as Pod;
      const kept = addressesOf(await secondary(live));
      const primary = attached.flatMap(({ addresses }) => addresses);
      await kubectl(["delete", "pods", "-n", home, "--wait=false", ...attached.map(({ name }) => name)]);
      await cluster.run(["exec", "control", "--", "pkill", "-STOP", "-x", "kube-apiserver"]);
      try {
        for (const node of nodes) await inNode(node, "pkill", "-KILL", "-x", "kube-node-agent");
        await expect
          .poll(() => leases("node-2", "k8snet").filter((address) => primary.includes(address)), {
            timeout: 60_000,
            interval: 500,
          })
          .toEqual([]);
      } finally {
        await cluster.run(["exec", "control", "--", "pkill", "-CONT", "-x", "kube-apiserver"]);
      }
      const left = () => leases("node-2", "net1").filter((address) => given.includes(address));
      await expect
        .poll(left, { timeout: 90_000, interval: 500 })
        .toEqual([])
        .catch(async (error: Error) => {
          throw new Error(`${error.message}; the agent says:\n${await agentLog("node-2")}`);
        });
      expect(leases("node-2", "net1")).toEqual(expect.arrayContaining(kept));
      await detach(
        (words) => inNode(live.node, ...words),
        host(live.node, ""),
        live,
        bridgeNetwork(annotation),
      );
    },
    5 * minutes,
  );

  it(
    "uninstalls by the README's commands, and leaves nothing",
    async () => {
      await kubectl(["delete", "namespace", home, "--ignore-not-found", "--timeout=150s"]);
      // Nobody DELs the second network's: the agents free them, while they are there.
      for (const node of nodes)
        for (const network of ["k8snet", "net1"])
          await expect.poll(() => leases(node, network), { timeout: 60_000, interval: 500 }).toEqual([]);
      const readme = readFileSync(join(checkout, "README.md"), "utf8");
      const commands = [
        "kubectl apply -k examples/agent/overlays/uninstall",
        "kubectl rollout status -n kube-node daemonset/kube-node-agent",
        "kubectl delete -k examples/agent/overlays/primary",
      ];
      for (const command of commands) {
        expect(readme).toContain(command);
        await shell(`${command} --timeout=150s`.replace(/(apply .*) --timeout.*/, "$1"));
      }
      for (const node of nodes)
        expect(listHost(node).filter((path) => !before[node]?.includes(path) && !isStore(path))).toEqual([]);
      const kinds =
        "clusterroles,clusterrolebindings,validatingadmissionpolicies,validatingadmissionpolicybindings,namespaces";
      const left = (await kubectl(["get", kinds, "-o", "name"])).split("\n");
      expect(left.filter((name) => /\/kube-node(-(agent|plugin).*)?$/.test(name))).toEqual([]);
      expect(await kubectl(["get", "roles,rolebindings", "-n", "default", "-o", "name"])).toBe("");
    },
    6 * minutes,
  );
});

/** What host-local and the plugin keep for the next pod of a network: uninstall leaves it, as leases are not its own. */
function isStore(path: string): boolean {
  return /^\/var\/lib\/cni\/networks\/[^/]+\/(lock|last_reserved_ip\.\d)$|^\/var\/lib\/cni\/networks\/\.kube-node\//.test(
    path,
  );
}
