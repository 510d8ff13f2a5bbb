import { join } from "node:path";
import type { HostLocal } from "../test/parts/tools.ts";
import type { Contender } from "./plan.ts";
import { annotated, node, podCIDRs, type World } from "./world.ts";

/** Names that tables and the chart go by. */
export const names = {
  hostLocal: "host-local",
  kept: "kube-node, ranges kept",
  agent: "kube-node, agent's file",
  asking: "kube-node, asking",
  empty: "empty executable",
} as const;

/** An implementation to measure against, and its names in both modes. */
export type Peer = { name: string; path: string };

export const peerNames = ({ name }: Pick<Peer, "name">) => ({
  cached: `${name}, cached`,
  asking: `${name}, asking`,
});

/** `BENCH_PEERS="go=/path/kube-node …"`. Throws where an entry is malformed. */
export function parsePeers(text = ""): Peer[] {
  return text
    .split(/\s+/)
    .filter(Boolean)
    .map((entry) => {
      const [, name, path] = /^([\w-]+)=(\/.+)$/.exec(entry) ?? [];
      if (name === undefined || path === undefined)
        throw new Error(`BENCH_PEERS: expected name=/absolute/path, found "${entry}"`);
      return { name, path };
    });
}

/** Where the agent's files are, as the plugin sees them. */
export const agentFolder = "/run/kube-node";

/** A name for folders and networks, which begin with a letter or a digit. */
const labelOf = (name: string): string => name.replace(/^\W+/, "").replace(/\W+/g, "-");

/** What all of them get, whether they look at it or not. `label` keeps their stores apart. */
export function makeContender(
  world: World,
  hostLocal: HostLocal,
  name: string,
  path: string,
  ipam: Record<string, unknown>,
): Contender {
  const label = labelOf(name);
  const dataDir = world.makeFolder(`data/${label}`);
  const config = { cniVersion: "1.0.0", name: label, type: "bridge", ipam: { dataDir, ...ipam } };
  return { name, command: [path], stdin: JSON.stringify(config), env: environment(hostLocal.folder) };
}

function environment(cniPath: string): Record<string, string> {
  return {
    PATH: process.env["PATH"] ?? "/usr/bin:/bin",
    CNI_PATH: cniPath,
    CNI_NETNS: "/var/run/netns/bench",
    CNI_IFNAME: "eth0",
    CNI_ARGS: "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=bench",
    NODE_NAME: node,
  };
}

export const toRanges = (subnets: string[]) => subnets.map((subnet) => [{ subnet }]);

export function bareHostLocal(world: World, hostLocal: HostLocal, ranges = podCIDRs): Contender {
  const ipam = { type: "host-local", ranges: toRanges(ranges) };
  return makeContender(world, hostLocal, names.hostLocal, hostLocal.path, ipam);
}

/** Ours by podCIDRs, which are kept after the first call. */
export function oursKept(
  world: World,
  hostLocal: HostLocal,
  kubeNode: string,
  name: string = names.kept,
): Contender {
  const ipam = { type: "kube-node", kubeconfig: world.kubeconfig };
  return makeContender(world, hostLocal, name, kubeNode, ipam);
}

/** Ours by an annotation, which is asked for at every ADD. */
export function oursAsking(world: World, hostLocal: HostLocal, kubeNode: string): Contender {
  const ipam = { type: "kube-node", kubeconfig: world.kubeconfig, annotation: annotated.key };
  return makeContender(world, hostLocal, names.asking, kubeNode, ipam);
}

/** Ours with an agent that was alive a moment ago, whose files are there while it is called. */
export function oursByAgent(world: World, hostLocal: HostLocal, kubeNode: string, bootID: string): Contender {
  const ipam = { type: "kube-node", kubeconfig: world.kubeconfig, annotation: annotated.key };
  const agentNode = {
    name: node,
    uid: "bench",
    machineID: world.machineID,
    podCIDRs,
    annotations: { [annotated.key]: annotated.value },
  };
  return {
    ...makeContender(world, hostLocal, names.agent, kubeNode, ipam),
    files: {
      [join(agentFolder, "node.json")]: JSON.stringify({ version: 1, node: agentNode }),
      [join(agentFolder, "alive")]: JSON.stringify({ bootID, heardAt: 0 }).replace(":0}", ":$UPTIME}"),
    },
  };
}

/** A peer with its cache, and one whose cache is gone before each call. */
export function peerContenders(world: World, hostLocal: HostLocal, peer: Peer): Contender[] {
  const { cached, asking } = peerNames(peer);
  const ipam = { type: "kube-node", kubeconfig: world.kubeconfig };
  const second = makeContender(world, hostLocal, asking, peer.path, { ...ipam, annotation: annotated.key });
  const cache = join(world.folder, "data", labelOf(asking), "kube-node.json");
  return [makeContender(world, hostLocal, cached, peer.path, ipam), { ...second, forgets: [cache] }];
}

/** What the runtime alone takes: an executable compiled in the same way, with nothing in it. */
export function emptyExecutable(hostLocal: HostLocal, path: string): Contender {
  return {
    name: names.empty,
    command: [path],
    stdin: "",
    env: environment(hostLocal.folder),
    verbs: ["ADD"],
  };
}
