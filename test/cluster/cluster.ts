import { execa } from "execa";
import { checkout, clusterTools, kubectl, type Requirement, root } from "../parts/tools.ts";
import { bringUp, installOn, primaryNetwork } from "./own-cluster.ts";

/** A cluster whose pods have kube-node for their primary network. */
export type Cluster = {
  /** Has busybox's ping. */
  image: string;
  kubectl: ReturnType<typeof runKubectl>;
  close(): Promise<void>;
};

/** Whose cluster it is: that of $KUBECONFIG, or one of our own on this machine. */
export const isForeign = Boolean(process.env["KUBECONFIG"]);

export function whatClusterLacks(): Requirement {
  if (isForeign) return kubectl();
  const { missing } = clusterTools();
  if (missing !== undefined) return { missing: `KUBECONFIG and without ${missing}` };
  return root();
}

/** On a cluster of our own only pods of these namespaces get IPv4; $KUBECONFIG's is taken as it is. */
export async function openCluster(namespacesWithIPv4: string[]): Promise<Cluster> {
  if (isForeign) {
    const image = process.env["KUBE_NODE_TEST_IMAGE"] ?? "busybox:1.36";
    return { image, kubectl: runKubectl(kubectl().path as string, {}), close: async () => {} };
  }
  const { environment, down } = await bringUp(clusterTools().path as string, 2);
  const config = primaryNetwork(namespacesWithIPv4);
  for (const node of environment["NODES"]?.split(" ") ?? []) installOn(node, environment, config);
  const { KUBECONFIG = "", KUBECACHEDIR = "", KUBEBUILDER_ASSETS } = environment;
  return {
    image: "busybox:local",
    kubectl: runKubectl(`${KUBEBUILDER_ASSETS}/kubectl`, { KUBECONFIG, KUBECACHEDIR }),
    close: down,
  };
}

/** From the checkout's folder; gives standard output. Rejects with kubectl's own words. */
export function runKubectl(program: string, env: Record<string, string>) {
  return async (words: string[], input: object | string = ""): Promise<string> => {
    const text = typeof input === "string" ? input : JSON.stringify(input);
    return (await execa(program, words, { env, cwd: checkout, input: text })).stdout;
  };
}
