import { clusterTools, kubectl, type Requirement, root } from "../parts/tools.ts";
import { isForeign, runKubectl } from "./cluster.ts";
import { buildImage } from "./image.ts";
import { namespace, watchtower } from "./manifests.ts";
import { bringUp } from "./own-cluster.ts";

/** A cluster whose nodes wait for the agent: one of our own, where everything may be done, or the one that $KUBECONFIG names. */
export type Ground = {
  nodes: string[];
  /** Has busybox's ping. */
  image: string;
  /** The agent's, where it is another than the manifests name. */
  agentImage?: string;
  kubectl: ReturnType<typeof runKubectl>;
  /** A command in the node's own namespaces. */
  inNode(node: string, ...words: string[]): Promise<string>;
  killAgents(): Promise<void>;
  /** Stopped as by SIGSTOP while `work` is done; absent where it isn't ours to stop. */
  withoutApiServer?: (work: () => Promise<void>) => Promise<void>;
  close(): Promise<void>;
};

/** $KUBE_NODE_IMAGE, too, before the agent is installed on somebody's cluster: it says that this is meant. */
export function whatGroundLacks(): Requirement[] {
  if (!isForeign) return [clusterTools(), root()];
  const named = process.env["KUBE_NODE_IMAGE"];
  return [
    kubectl(),
    named ? {} : { missing: "KUBE_NODE_IMAGE, the agent's image on the cluster of KUBECONFIG" },
  ];
}

export function openGround(): Promise<Ground> {
  return isForeign ? openForeign() : openOwn();
}

async function openOwn(): Promise<Ground> {
  const [image, cluster] = await Promise.all([buildImage(), bringUp(clusterTools().path as string, 3)]);
  await cluster.run(["load", image]);
  const { KUBECONFIG = "", KUBECACHEDIR = "", KUBEBUILDER_ASSETS, NODES = "" } = cluster.environment;
  const nodes = NODES.split(" ");
  const inNode = (node: string, ...words: string[]) => cluster.run(["exec", node, "--", ...words]);
  const signal = (name: string) => inNode("control", "pkill", name, "-x", "kube-apiserver");
  return {
    nodes,
    image: "busybox:local",
    kubectl: runKubectl(`${KUBEBUILDER_ASSETS}/kubectl`, { KUBECONFIG, KUBECACHEDIR }),
    inNode,
    killAgents: async () => {
      for (const node of nodes) await inNode(node, "pkill", "-KILL", "-x", "kube-node-agent");
    },
    withoutApiServer: async (work) => {
      await signal("-STOP");
      try {
        await work();
      } finally {
        await signal("-CONT");
      }
    },
    close: cluster.down,
  };
}

/** Looked into through a privileged pod on each node. */
async function openForeign(): Promise<Ground> {
  const run = runKubectl(kubectl().path as string, {});
  const image = process.env["KUBE_NODE_TEST_IMAGE"] ?? "busybox:1.36";
  const home = `agent-test-watch-${Date.now().toString(36)}`;
  const close = async () =>
    void (await run(["delete", "namespace", home, "--ignore-not-found", "--wait=false"]));
  try {
    await run(["apply", "-f", "-"], namespace(home));
    await run(["apply", "-f", "-"], watchtower(home, image));
    await run(["rollout", "status", "daemonset/watchtower", "-n", home, "--timeout=120s"]);
    const fields = 'jsonpath={range .items[*]}{.spec.nodeName} {.metadata.name}{"\\n"}{end}';
    const text = await run(["get", "pods", "-n", home, "-l", "app=watchtower", "-o", fields]);
    const towers = new Map(
      text
        .split("\n")
        .filter(Boolean)
        .map((line) => line.split(" ") as [string, string]),
    );
    const nodes = await openNodes(run);
    return {
      nodes,
      image,
      agentImage: process.env["KUBE_NODE_IMAGE"] as string,
      kubectl: run,
      inNode: (node, ...words) => {
        const enter = ["nsenter", "-t", "1", "-m", "-u", "-i", "-n", "-p", "--"];
        return run(["exec", "-n", home, towers.get(node) as string, "--", ...enter, ...words]);
      },
      killAgents: async () => {
        const now = ["--grace-period=0", "--force", "--wait=false"];
        await run([
          "delete",
          "pods",
          "-n",
          "kube-node",
          "-l",
          "app.kubernetes.io/name=kube-node-agent",
          ...now,
        ]);
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

const passing = ["node.kubernetes.io/not-ready", "node.kubernetes.io/network-unavailable"];

/** Those that take any pod, once they have a network. */
async function openNodes(run: Ground["kubectl"]): Promise<string[]> {
  type Shown = { metadata: { name: string }; spec: { taints?: { key: string; effect: string }[] } };
  const { items } = JSON.parse(await run(["get", "nodes", "-o", "json"])) as { items: Shown[] };
  const isShut = ({ spec }: Shown) =>
    spec.taints?.some(({ key, effect }) => effect !== "PreferNoSchedule" && !passing.includes(key));
  return items.filter((node) => !isShut(node)).map(({ metadata }) => metadata.name);
}
