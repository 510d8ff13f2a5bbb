import { parseIp } from "../address/ip.ts";
import { keysOfNetworks } from "./network.ts";
import { podCIDRsKey } from "./node-ranges.ts";
import { type PodAddress, podNetwork } from "./pod-address.ts";
import { holds, type NodeRangeSet, rangeSetsOf } from "./range-set.ts";
import type { Survey } from "./survey.ts";

/** A range set, and the pods' addresses that were taken out of it. */
export type Usage = NodeRangeSet & { pods: PodAddress[] };

/** Every range set of the survey with its pods, and the addresses that lie in none of their own node's sets. */
export type ClusterUsage = { sets: Usage[]; outside: PodAddress[] };

/** Joins pods and ranges: an address is looked for among its own node's sets alone, under its network's key where that is known. */
export function joinPods({
  ranges,
  networks,
  pods,
}: Pick<Survey, "ranges" | "networks" | "pods">): ClusterUsage {
  const sets = ranges.flatMap((one) => rangeSetsOf(one).map((set): Usage => ({ ...set, pods: [] })));
  const byNode = Map.groupBy(sets, ({ node }) => node);
  const keys = keysOfNetworks(networks);
  const outside: PodAddress[] = [];
  for (const pod of pods) {
    const home = findHome(byNode.get(pod.node) ?? [], pod, keys.get(pod.network));
    if (home) home.pods.push(pod);
    else outside.push(pod);
  }
  return { sets, outside };
}

/** The pod network's ranges are the podCIDRs unless they don't fit. */
function findHome(
  sets: Usage[],
  { address, network }: PodAddress,
  keys: ReadonlySet<string> | undefined,
): Usage | undefined {
  const ip = parseIp(address);
  const fitting = ip ? sets.filter((set) => holds(set, ip) && (!keys || keys.has(set.key))) : [];
  const isFirst = (set: Usage) => (set.key === podCIDRsKey) === (network === podNetwork);
  return fitting.find(isFirst) ?? fitting[0];
}
