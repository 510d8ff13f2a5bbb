import type { JsonObject } from "../../src/text/json.ts";
import type { DemoNode } from "./cluster.ts";
import type { Stage } from "./stage.ts";

/** A CNI network configuration. */
export type Network = JsonObject & { name: string; ipam: JsonObject };

export const annotationKey = "kube-node.nordix.org/net1";

/** For every pod, from the Node's podCIDRs, with the kubelet's credentials. */
export function podNetwork(stage: Stage, node: DemoNode): Network {
  return {
    cniVersion: "1.0.0",
    name: "pods",
    type: "bridge",
    bridge: "cni0",
    isDefaultGateway: true,
    ipam: { type: "kube-node", kubeconfig: kubeletConfig(stage, node), ...dataDir(stage, node) },
  };
}

/** The same, but IPv4 is for some namespaces only. */
export function gatedPodNetwork(stage: Stage, node: DemoNode, namespaces: string[]): Network {
  const network = podNetwork(stage, node);
  return { ...network, ipam: { ...network.ipam, "ipv4-namespaces": namespaces } };
}

/** A second interface for some pods, from the Node's annotation, with a ServiceAccount's token. */
export function secondaryNetwork(stage: Stage, node: DemoNode): Network {
  return {
    cniVersion: "1.0.0",
    name: "net1",
    type: "bridge",
    bridge: "br1",
    ipam: {
      type: "kube-node",
      annotation: annotationKey,
      kubeconfig: serviceAccountConfig(stage, node),
      ...dataDir(stage, node),
    },
  };
}

export function kubeletConfig(stage: Stage, node: DemoNode): string {
  return `${stage.varLib(node).there}/kubelet/kubeconfig`;
}

export function serviceAccountConfig(stage: Stage, node: DemoNode): string {
  return `${stage.varLib(node).there}/kube-node/kubeconfig`;
}

/** host-local's own default lies in /var/lib. */
function dataDir(stage: Stage, node: DemoNode): JsonObject {
  const { there } = stage.varLib(node);
  return there === "/var/lib" ? {} : { dataDir: `${there}/cni/networks` };
}
