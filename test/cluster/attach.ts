import type { Sandbox } from "./sandboxes.ts";

export type Pod = { name: string; uid: string; namespace: string; node: string; addresses: string[] };
type Run = (words: string[]) => Promise<string>;
type Result = { ips: { address: string }[] };
export type Network = { type: string; [key: string]: unknown };

/** A second interface for a pod, as Multus asks for one: the same container, its namespace, and the pod's names. */
export async function attach(run: Run, pod: Pod, network: Network): Promise<Result> {
  return JSON.parse(await call("ADD", run, pod, network)) as Result;
}

export async function detach(run: Run, pod: Pod, network: Network): Promise<void> {
  await call("DEL", run, pod, network);
}

async function call(verb: string, run: Run, pod: Pod, network: Network): Promise<string> {
  return await callIn(await findAttachment(run, pod), verb, run, pod, network);
}

/** As Multus calls, for interface net1 of the pod in this sandbox; gives standard output. */
export async function callIn(
  { container, netns }: Sandbox,
  verb: string,
  run: Run,
  pod: Pick<Pod, "name" | "namespace" | "uid">,
  network: Network,
): Promise<string> {
  const names = `K8S_POD_NAMESPACE=${pod.namespace};K8S_POD_NAME=${pod.name};K8S_POD_UID=${pod.uid}`;
  const environment = {
    CNI_COMMAND: verb,
    CNI_CONTAINERID: container,
    CNI_NETNS: netns,
    CNI_IFNAME: "net1",
    CNI_PATH: "/opt/cni/bin",
    CNI_ARGS: `IgnoreUnknown=1;${names};K8S_POD_INFRA_CONTAINER_ID=${container}`,
  };
  const words = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  const script = `printf %s '${JSON.stringify(network)}' | exec env "$@" /opt/cni/bin/${network.type}`;
  return await run(["sh", "-c", script, "sh", ...words]);
}

const kubeconfig = "/etc/cni/net.d/kube-node.d/kubeconfig";

/** No gateway: the bridge would keep the first range's address, and refuse another one (bridge's own rule). */
export function bridgeNetwork(annotation: string): Network {
  const ipam = { type: "kube-node", kubeconfig, annotation };
  return { cniVersion: "1.0.0", name: "net1", type: "bridge", bridge: "net1", ipam };
}

/** All nodes' pods on the wire that the nodes are on, with addresses of their node's block. */
export function pooledNetwork(pool: string): Network {
  const ipam = { type: "kube-node", kubeconfig, pool };
  return { cniVersion: "1.0.0", name: "pooled", type: "macvlan", master: "eth0", mode: "bridge", ipam };
}

/** What the runtime called the pod's sandbox: our record of its primary interface says so. */
async function findAttachment(run: Run, pod: Pod): Promise<Sandbox> {
  const folder = "/var/lib/cni/networks/.kube-node/k8snet/attachments";
  const text = await run(["sh", "-c", `for f in ${folder}/*:eth0*; do cat "$f"; echo; done`]);
  type Record = { containerID: string; netns: string; pod?: { name?: string } };
  const records = text
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Record);
  const found = records.find((record) => record.pod?.name === pod.name);
  if (!found) throw new Error(`${pod.node} has no record of ${pod.name}`);
  return { container: found.containerID, netns: found.netns };
}
