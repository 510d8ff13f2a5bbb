import { readFileSync } from "node:fs";
import { isIPv6 } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { contains } from "../parts/contains.ts";
import { checkout, whatLacks } from "../parts/tools.ts";
import { attach, bridgeNetwork, detach, type Pod } from "./attach.ts";
import { isForeign } from "./cluster.ts";
import { type Ground, openGround, whatGroundLacks } from "./ground.ts";
import { deployment, namespace } from "./manifests.ts";

const lack = whatLacks(...whatGroundLacks());
const perNode = 20;
const minutes = 60_000;
const install = "kubectl apply -k examples/agent/overlays/primary";
const home = "agent-test";
const annotation = "kube-node.nordix.org/net1";
const outage = isForeign ? "" : " and the API server stopped"; // Somebody else's isn't ours to stop.
/** What the agent promises (docs/agent.md): the pod's end by its kubelet, a look, the grace period, a look; and a busy machine. */
const untilFreed = 90_000;

describe.skipIf(lack.some)(`the agent on a real cluster${lack.words}`, () => {
  let ground: Ground;
  let nodes: string[];
  let before: Map<string, string[]>;
  let pods: Pod[] = [];
  let isInstalled = false;

  beforeAll(async () => {
    ground = await openGround();
    nodes = ground.nodes;
    before = new Map(await eachNode(async (node) => [node, await listHost(node)] as const));
  }, 8 * minutes);
  afterAll(async () => {
    if (isForeign && isInstalled) await takeBack();
    await ground?.close();
  }, 6 * minutes);

  const kubectl: Ground["kubectl"] = (words, input) => ground.kubectl(words, input);
  const eachNode = <T>(work: (node: string) => Promise<T>) => Promise.all(nodes.map(work));

  /** A command of the README; an image of another name is put into what it applies. */
  async function shell(command: string): Promise<string> {
    const [, verb, ...words] = command.split(" ");
    if (verb !== "apply" || ground.agentImage === undefined) return await kubectl([verb ?? "", ...words]);
    const text = await kubectl(["kustomize", words.at(-1) ?? ""]);
    return await kubectl(
      ["apply", "-f", "-"],
      text.replaceAll(/image: kube-node-ipam:\S+/g, `image: ${ground.agentImage}`),
    );
  }

  /** Somebody's cluster, where a test has failed half-way. */
  async function takeBack(): Promise<void> {
    const quietly = ["--ignore-not-found", "--wait=false"];
    await kubectl(["delete", "namespace", home, ...quietly]);
    await shell("kubectl apply -k examples/agent/overlays/uninstall");
    await rollOut("daemonset/kube-node-agent", "kube-node").catch(() => "");
    await kubectl(["delete", "-k", "examples/agent/overlays/primary", ...quietly]);
  }

  const rollOut = (what: string, where: string, seconds = 150) =>
    kubectl(["rollout", "status", what, "-n", where, `--timeout=${seconds}s`]);

  /** What lies in the folders that the agent writes to. Pods of others come and go on somebody's cluster, and so do their leases. */
  async function listHost(node: string): Promise<string[]> {
    const folders = [
      "/opt/cni/bin",
      "/etc/cni/net.d",
      "/run/kube-node",
      ...(isForeign ? [] : ["/var/lib/cni"]),
    ];
    const script = `for folder in ${folders.join(" ")}; do [ ! -d $folder ] || find $folder ! -type d; done`;
    return (await ground.inNode(node, "sh", "-c", script)).split("\n").filter(Boolean);
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

  /** Addresses that don't answer, asked twice: the first packet may go to the search for its way. */
  async function silentFrom(pod: Pod, addresses: string[]): Promise<string[]> {
    const once = "ping -c 1 -W 5 $a >/dev/null 2>&1";
    const script = `for a in ${addresses.join(" ")}; do (${once} || ${once} || echo $a) & done; wait`;
    const text = await kubectl(["exec", "-n", home, pod.name, "--", "sh", "-c", script]);
    return text.split("\n").filter(Boolean);
  }

  async function leases(node: string, network: string): Promise<string[]> {
    const script = `ls /var/lib/cni/networks/${network} 2>/dev/null || true`;
    const names = (await ground.inNode(node, "sh", "-c", script)).split("\n");
    return names.filter((name) => /^[0-9a-f]+[.:]/.test(name));
  }
  const runIn =
    ({ node }: Pod) =>
    (words: string[]) =>
      ground.inNode(node, ...words);
  const secondary = (pod: Pod) => attach(runIn(pod), pod, bridgeNetwork(annotation));
  const addressesOf = ({ ips }: { ips: { address: string }[] }) =>
    ips.map(({ address }) => address.split("/")[0] ?? "");
  const podCIDRsOf = async (node: string) =>
    (await kubectl(["get", "node", node, "-o", "jsonpath={.spec.podCIDRs[*]}"])).split(" ");

  it(
    "installs by the README's command: programs, credentials and the network's configuration on every node",
    async () => {
      expect(readFileSync(join(checkout, "README.md"), "utf8")).toContain(install);
      isInstalled = true;
      await shell(install);
      await rollOut("daemonset/kube-node-agent", "kube-node");
      await kubectl(["wait", "--for=condition=Ready", "nodes", "--all", "--timeout=60s"]);
      const files = [
        "/opt/cni/bin/kube-node",
        "/opt/cni/bin/node-annotation",
        "/etc/cni/net.d/10-kube-node.conflist",
      ];
      for (const found of await eachNode(listHost)) expect(found).toEqual(expect.arrayContaining(files));
    },
    5 * minutes,
  );

  it(
    `${perNode} pods on each node get addresses of their Node's podCIDRs`,
    async () => {
      await kubectl(["apply", "-f", "-"], namespace(home));
      await kubectl(["apply", "-f", "-"], deployment(home, "web", ground.image, perNode * nodes.length));
      await rollOut("deployment/web", home, 240);
      pods = await listPods("web");
      const all = pods.flatMap(({ addresses }) => addresses);
      const families = (await podCIDRsOf(nodes[0] as string)).length;
      expect(new Set(all).size).toBe(families * perNode * nodes.length);
      for (const node of nodes) {
        const ranges = await podCIDRsOf(node);
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
    "four of each node ping each other over both families, within nodes and across; one of each node pings all",
    async () => {
      const all = pods.flatMap(({ addresses }) => addresses);
      const six = all.filter(isIPv6).length;
      if (!isForeign) expect(six).toBe(all.length / 2);
      const byNode = nodes.map((node) => pods.filter((pod) => pod.node === node));
      const some = byNode.flatMap((own) => own.slice(0, 4));
      // Nodes that share a kernel share its room for 1024 IPv6 neighbours: 60 pods that speak with each other are too many.
      for (const pod of some) {
        const targets = byNode.some(([first]) => first === pod) ? pods : some;
        expect(
          await silentFrom(
            pod,
            targets.flatMap(({ addresses }) => addresses),
          ),
          pod.name,
        ).toEqual([]);
      }
    },
    5 * minutes,
  );

  // There is no Multus here: the second interface is made as Multus makes it, by the plugin chain in the pod's namespace.
  it(
    "a second network takes its ranges from an annotation; changed, the next pod has the new ones",
    async () => {
      for (const [index, node] of nodes.entries())
        await kubectl([
          "annotate",
          "--overwrite",
          "node",
          node,
          `${annotation}=172.20.${index}.0/24,fd20:${index}::/112`,
        ]);
      const [first, second, third] = pods.filter(({ node }) => node === nodes[0]) as [Pod, Pod, Pod];
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
      await kubectl([
        "annotate",
        "--overwrite",
        "node",
        nodes[0] as string,
        `${annotation}=172.21.0.0/24,fd21::/112`,
      ]);
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
    const read = () => ground.inNode(nodes[0] as string, "cat", "/run/kube-node/node.json");
    await expect.poll(read, { timeout: 5000, interval: 20 }).toContain(range);
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
    `with the agents killed${outage}, deleted pods' addresses are free afterwards, those that nobody DELs, too`,
    async () => {
      const where = (nodes[1] ?? nodes[0]) as string;
      const there = (await listPods("web")).filter(({ node }) => node === where);
      const [attached, live] = [there.slice(0, 3), there[3] as Pod];
      const given = (await Promise.all(attached.map(secondary))).flatMap(addressesOf);
      expect(await leases(where, "net1")).toEqual(expect.arrayContaining(given));
      const kept = addressesOf(await secondary(live));
      const primary = attached.flatMap(({ addresses }) => addresses);
      await kubectl(["delete", "pods", "-n", home, "--wait=false", ...attached.map(({ name }) => name)]);
      const killAndWait = async () => {
        await ground.killAgents();
        const left = async () => (await leases(where, "k8snet")).filter((one) => primary.includes(one));
        await expect.poll(left, { timeout: 60_000, interval: 500 }).toEqual([]);
      };
      await (ground.withoutApiServer?.(killAndWait) ?? killAndWait());
      const left = async () => (await leases(where, "net1")).filter((one) => given.includes(one));
      await expect
        .poll(left, { timeout: untilFreed, interval: 500 })
        .toEqual([])
        .catch(async (error: Error) => {
          throw new Error(`${error.message}; the agent says:\n${await agentLog(where)}`);
        });
      expect(await leases(where, "net1")).toEqual(expect.arrayContaining(kept));
      await detach(runIn(live), live, bridgeNetwork(annotation));
    },
    5 * minutes,
  );

  /** On somebody's cluster there are others' pods on the network by now. */
  async function leasesOfOurs(node: string): Promise<string[]> {
    const given = new Set(pods.flatMap(({ addresses }) => addresses));
    return (await leases(node, "k8snet")).filter((one) => !isForeign || given.has(one));
  }

  it(
    "uninstalls by the README's commands, and leaves nothing",
    async () => {
      await kubectl(["delete", "namespace", home, "--ignore-not-found", "--timeout=150s"]);
      for (const node of nodes)
        await expect.poll(() => leasesOfOurs(node), { timeout: 60_000, interval: 500 }).toEqual([]);
      // Nobody DELs the second network: the agent frees that, while it is there.
      for (const node of nodes)
        await expect.poll(() => leases(node, "net1"), { timeout: untilFreed, interval: 500 }).toEqual([]);
      for (const node of nodes) await kubectl(["annotate", "node", node, `${annotation}-`]);
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
      isInstalled = false;
      for (const node of nodes) {
        const added = (await listHost(node)).filter((path) => !before.get(node)?.includes(path));
        expect(added.filter((path) => !isStore(path))).toEqual([]);
      }
      const kinds =
        "clusterroles,clusterrolebindings,validatingadmissionpolicies,validatingadmissionpolicybindings,namespaces";
      const left = (await kubectl(["get", kinds, "-o", "name"])).split("\n");
      expect(left.filter((name) => /\/kube-node(-(agent|plugin).*)?$/.test(name))).toEqual([]);
      const inDefault = await kubectl(["get", "roles,rolebindings", "-n", "default", "-o", "name"]);
      expect(inDefault.split("\n").filter((name) => /\/kube-node(-.*)?$/.test(name))).toEqual([]);
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
