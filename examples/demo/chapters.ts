import { mkdirSync, writeFileSync } from "node:fs";
import type { Cluster, DemoNode } from "./cluster.ts";
import { readHolders } from "./holders.ts";
import * as networks from "./networks.ts";
import { addressesOf, pingAll } from "./ping-all.ts";
import * as print from "./print.ts";
import { add, call, refuse, type Scene, showResult } from "./scene.ts";
import type { Pod, Stage } from "./stage.ts";

export function introduce({ stage: { lacks } }: Scene): void {
  print.title("kube-node gives pods addresses of the ranges that stand on their Kubernetes Node");
  if (lacks.length > 0) {
    print.say(
      `Without ${lacks.join(" and ")} there are no networks here: kube-node is executed by itself, in a temporary folder. ` +
        "Otherwise nodes and pods would be network namespaces, the bridge plugin would call kube-node and make the pods' " +
        "interfaces, and all pods would ping each other.",
    );
    return;
  }
  print.say(
    "Three nodes and their pods on this machine, as network namespaces that nobody else sees. The plugins are real: " +
      "bridge makes the interfaces, kube-node finds the ranges, host-local keeps the addresses.",
  );
}

export async function showCluster({ stage, cluster }: Scene): Promise<void> {
  print.heading("A cluster of three Nodes");
  print.say(
    `The API server is ${cluster.url}: a small one in this process, with TLS, client certificates and tokens.`,
  );
  print.table(
    ["NODE", "SPEC.PODCIDRS"],
    cluster.nodes.map(({ name, podCIDRs }) => [name, podCIDRs.join(", ")]),
  );
  if (stage.lacks.length === 0) {
    print.say(
      "Each is a network namespace, with an /etc/machine-id, a /var/lib and an /opt/cni/bin of its own.",
    );
  }
  for (const node of cluster.nodes) {
    stage.addNode(node);
    writeKubeconfig(stage, node, "kubelet", await cluster.kubeletConfig(node));
    writeKubeconfig(stage, node, "kube-node", await cluster.serviceAccountConfig(node));
  }
  for (const node of cluster.nodes) stage.addRoutes(node, node.podCIDRs);
}

function writeKubeconfig(stage: Stage, node: DemoNode, owner: string, text: string): void {
  const folder = `${stage.varLib(node).here}/${owner}`;
  mkdirSync(folder);
  writeFileSync(`${folder}/kubeconfig`, text, { mode: 0o600 });
}

export async function addPods(scene: Scene): Promise<void> {
  const [first, second] = scene.cluster.nodes as [DemoNode, DemoNode];
  const config = networks.podNetwork(scene.stage, first);
  print.heading("Pods get addresses of their Node's podCIDRs");
  print.say(
    "pods.json says no word of ranges. The credentials are the kubelet's, which may read its own Node and no other:",
  );
  print.document(config);
  const web = await add(scene, { name: "web-1", namespace: "default", node: first }, "eth0", config);
  showResult(web);
  print.say("The same on the next node:");
  const network = networks.podNetwork(scene.stage, second);
  showResult(await add(scene, { name: "web-2", namespace: "default", node: second }, "eth0", network));
  print.say("What the API server was asked, and by whom:");
  print.lines(scene.cluster.requests.map(({ method, path, user }) => `${method} ${path}  ${user}`));
}

export async function gateByNamespace(scene: Scene): Promise<void> {
  const third = scene.cluster.nodes[2] as DemoNode;
  const config = networks.gatedPodNetwork(scene.stage, third, ["old-application"]);
  print.heading("IPv4 for those who can't do without");
  print.say("pods.json on node-3 gives IPv4 to one namespace, and IPv6 to all:");
  print.document(config);
  for (const [name, namespace] of [
    ["ledger", "old-application"],
    ["web-3", "default"],
  ] as const) {
    showResult(await add(scene, { name, namespace, node: third }, "eth0", config));
  }
}

export async function addSecondaryNetwork(scene: Scene): Promise<void> {
  const { stage, cluster, attachments } = scene;
  const [web1, web2, ledger] = attachments.map(({ pod }) => pod) as [Pod, Pod, Pod];
  print.heading("A second interface, from an annotation on the Node");
  print.say("net1.json names the annotation. The credentials are a ServiceAccount's token this time:");
  print.document(networks.secondaryNetwork(stage, web1.node));
  print.say("Of one network that joins the nodes, each gets a part:");
  for (const { node } of [web1, web2]) await annotate(cluster, node);
  for (const pod of [web1, web2]) {
    showResult(await add(scene, pod, "net1", networks.secondaryNetwork(stage, pod.node)));
  }
  print.say("Nobody has annotated node-3, so there the plugin says what to do:");
  print.document(await refuse(scene, ledger, networks.secondaryNetwork(stage, ledger.node)));
}

async function annotate(cluster: Cluster, node: DemoNode): Promise<void> {
  const { annotationKey } = networks;
  print.command("$", ["kubectl", "annotate", "node", node.name, `${annotationKey}=${node.net1}`]);
  const answer = await cluster.annotate(node, annotationKey, node.net1);
  print.lines([`PATCH /api/v1/nodes/${node.name}, as kubectl sends it: ${answer.status}`]);
}

export async function reachEachOther({ stage, attachments }: Scene): Promise<void> {
  if (!stage.ping) return;
  const { ping } = stage;
  print.heading("Every pod pings every other, over each family that both have");
  print.say("ping -c 1 in each pod's network namespace, to the others' addresses in the same network:");
  for (const network of ["pods", "net1"]) {
    const members = attachments.filter((attachment) => attachment.network.name === network);
    print.table([network, ...members.map(({ pod }) => pod.name)], await pingAll(ping, members));
  }
}

export function showHolders({ stage, cluster, attachments }: Scene): void {
  print.heading("Who holds which address");
  print.say("As host-local's stores and kube-node's records on the nodes' disks say:");
  const holders = readHolders(stage, cluster.nodes, ["pods", "net1"]);
  print.table(
    ["ADDRESS", "NODE", "POD", "NAMESPACE", "INTERFACE", "NETWORK"],
    holders.map((holder) => Object.values(holder)),
  );
  const given = attachments.flatMap(addressesOf).sort();
  const held = holders.map(({ address }) => address).sort();
  if (held.join() !== given.join()) throw new Error(`the stores hold ${held}, but pods were given ${given}`);
}

export async function checkAndDelete(scene: Scene): Promise<void> {
  const { stage, cluster, attachments } = scene;
  print.heading("The end of the pods, with the API server away");
  await cluster.stop();
  print.say("The API server is stopped: CHECK and DEL never ask it. They get ADD's result as prevResult.");
  for (const verb of ["CHECK", "DEL"] as const) {
    for (const attachment of attachments) await call(scene, verb, attachment);
    const done = attachments.map(({ pod, ifname }) => `${pod.name} ${ifname}`).join(", ");
    print.lines([`${verb.padEnd(5)} ok: ${done}`]);
  }
  const left = readHolders(stage, cluster.nodes, ["pods", "net1"]);
  if (left.length > 0) throw new Error(`still leased: ${left.map(({ address }) => address).join(", ")}`);
  print.say("No address is leased any more, and nothing of all this stays on the machine.");
}
