import { randomBytes } from "node:crypto";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../../test/parts/embedded-api-server.ts";
import { type Answer, send } from "../../test/parts/https-request.ts";

/** A Node as the API server has it, and the ranges that an annotation will give its secondary network. */
export type DemoNode = { name: string; number: number; podCIDRs: string[]; net1: string; machineID: string };

/** `machineIDs: false` leaves them out of the Nodes. */
export type ClusterOptions = { address: string; port?: number; machineIDs: boolean };

export type Cluster = EmbeddedApiServer & {
  nodes: DemoNode[];
  /** As `kubectl annotate` does it: a PATCH by an administrator. */
  annotate(node: DemoNode, key: string, value: string): Promise<Answer>;
  kubeletConfig(node: DemoNode): Promise<string>;
  /** Of a ServiceAccount that may get Nodes, by a token bound to this one: the token says which Node it is on. */
  serviceAccountConfig(node: DemoNode): Promise<string>;
};

/** An API server and its three Nodes, as kube-controller-manager and kubelets would have made them. */
export async function startCluster({ address, machineIDs, ...port }: ClusterOptions): Promise<Cluster> {
  const server = await startEmbeddedApiServer({ addresses: [address], ...port });
  const nodes = [1, 2, 3].map(describeNode);
  for (const { name, podCIDRs, machineID } of nodes) {
    await server.createNode({ name, podCIDRs, ...(machineIDs && { machineID }) });
  }
  const admin = await server.credentialsFor({ kind: "admin" });
  const account = { kind: "serviceAccount", namespace: "kube-system", name: "kube-node" } as const;
  return {
    ...server,
    nodes,
    annotate: (node, key, value) =>
      send(
        { ...server, credentials: admin },
        {
          method: "PATCH",
          path: `/api/v1/nodes/${node.name}`,
          body: { metadata: { annotations: { [key]: value } } },
          headers: { "content-type": "application/merge-patch+json" },
        },
      ),
    kubeletConfig: (node) => server.kubeconfigFor({ kind: "kubelet", node: node.name }),
    serviceAccountConfig: (node) =>
      server.kubeconfigFor({ ...account, mayRead: nodes.map(({ name }) => name), boundTo: node.name }),
  };
}

function describeNode(number: number): DemoNode {
  return {
    name: `node-${number}`,
    number,
    podCIDRs: [`10.1.${number}.0/24`, `fd00:10:1:${number}::/64`],
    net1: `172.20.0.${number}0-172.20.0.${number}9/24,fd00:172:20::${number}0-fd00:172:20::${number}9/64`,
    machineID: randomBytes(16).toString("hex"),
  };
}
