import type { Cidr } from "../address/cidr.ts";
import { parseIp } from "../address/ip.ts";
import { keysOfNetworks } from "../survey/network.ts";
import type { Survey } from "../survey/survey.ts";
import { chart, type Holder, type NodeWithRanges, type Territory } from "./territory.ts";

type Facts = Pick<Survey, "ranges" | "networks" | "pods">;

/** One key's ranges of all nodes, and the addresses that pods have by its networks or by the pod network. */
export function chartSurvey({ ranges, networks, pods }: Facts, key: string, within: Cidr[] = []): Territory {
  const nodes = ranges
    .filter((one) => one.key === key)
    .map(
      ({ node, ranges, malformed }): NodeWithRanges =>
        malformed === undefined
          ? { name: node, ranges: ranges.flat() }
          : { name: node, fault: `malformed: ${malformed}` },
    );
  const keys = keysOfNetworks(networks);
  const holders = pods.flatMap(({ address, namespace, pod, node, network }): Holder[] => {
    const ip = parseIp(address);
    const isOthers = keys.get(network)?.has(key) === false;
    return ip && !isOthers ? [{ address: ip, pod: `${namespace}/${pod}`, node }] : [];
  });
  return chart(nodes, holders, within);
}

/** Keys that nodes have ranges by, the most frequent first. */
export function keysByNodes({ ranges }: Facts): string[] {
  const counts = new Map<string, number>();
  for (const { key } of ranges) counts.set(key, (counts.get(key) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a).map(([key]) => key);
}
