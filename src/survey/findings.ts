import { describeConflict, findConflicts } from "./conflicts.ts";
import { keysOfNetworks, spaceOf } from "./network.ts";
import { type PodAddress, podNetwork } from "./pod-address.ts";
import type { PoolCheck } from "./pool-findings.ts";
import { labelOfKey } from "./pool-ranges.ts";
import { formatRangeSet } from "./range-set.ts";
import type { Survey } from "./survey.ts";
import { type ClusterUsage, joinPods, type Usage } from "./usage.ts";

type RangeCheck = "malformed" | "foreign" | "overlap" | "duplicate" | "outside" | "nearly-full";

/** Something in a cluster that will give trouble, or does. */
export type Finding = {
  check: RangeCheck | PoolCheck;
  /** What it is about, in Kubernetes' notation: node/NAME, ippool/NAME or NAMESPACE/POD. */
  subjects: string[];
  key?: string;
  message: string;
};

/** All that is wrong with ranges and addresses; `nearly` is a percentage. `notes` say what could not be judged. */
export function findAll(survey: Survey, nearly: number): { findings: Finding[]; notes: string[] } {
  const usage = joinPods(survey);
  const { findings: outside, notes } = findOutside(survey, usage);
  const findings = [
    ...findMalformed(survey),
    ...findOverlaps(survey, usage),
    ...findDuplicates(survey),
    ...outside,
    ...findNearlyFull(usage, nearly),
  ];
  return { findings, notes };
}

function findMalformed({ ranges }: Survey): Finding[] {
  return ranges.flatMap(({ node, key, malformed, isForeign }) => {
    if (malformed === undefined) return [];
    const message = `${labelOfKey(key)} of ${node}: ${malformed}`;
    return [{ check: isForeign ? "foreign" : "malformed", subjects: [`node/${node}`], key, message }];
  });
}

function findOverlaps({ serviceCIDRs }: Survey, { sets }: ClusterUsage): Finding[] {
  return findConflicts(sets, serviceCIDRs).map((conflict) => ({
    check: "overlap",
    subjects: [conflict.set.node, ...("set" in conflict.with ? [conflict.with.set.node] : [])].map(
      (n) => `node/${n}`,
    ),
    key: conflict.set.key,
    message: describeConflict(conflict),
  }));
}

/** Networks of one key use one address space, so their pods have to differ, too. */
function findDuplicates({ networks, pods }: Survey): Finding[] {
  const keys = keysOfNetworks(networks);
  const placeOf = ({ network, address }: PodAddress) => `${spaceOf(keys, network)} ${address}`;
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const pod of pods) {
    const place = placeOf(pod);
    (seen.has(place) ? twice : seen).add(place);
  }
  const holders = Map.groupBy(twice.size > 0 ? pods.filter((pod) => twice.has(placeOf(pod))) : [], placeOf);
  return [...holders.values()].flatMap((all) => {
    const names = [...new Set(all.map(nameOf))];
    if (names.length < 2) return [];
    const { address, network } = all[0] as PodAddress;
    const where = all.map((pod) => `${nameOf(pod)} on ${pod.node}`).join(" and ");
    return [{ check: "duplicate", subjects: names, message: `${address} (${network}) is held by ${where}` }];
  });
}

/**
 * Only networks whose addresses one of our plugins gives can be judged. Of the pod network that isn't known: where most of its
 * addresses lie in no range of their node, another IPAM plugin gives them.
 */
function findOutside({ networks, nodes, pods }: Survey, { sets, outside }: ClusterUsage) {
  const keys = keysOfNetworks(networks);
  const known = new Set(nodes.map(({ name }) => name));
  const families = new Set(sets.map(({ node, spans }) => `${node} ${spans[0]?.first.family}`));
  const total = pods.filter(({ network }) => network === podNetwork).length;
  const strays = outside.filter(({ node }) => known.has(node));
  const ofPods = strays.filter(({ network }) => network === podNetwork);
  const judged = ofPods.length * 2 <= total;
  const ours = strays.filter(({ network, node, address }) =>
    network === podNetwork
      ? judged && families.has(`${node} ${address.includes(":") ? 6 : 4}`)
      : keys.has(network),
  );
  const findings = ours.map((pod): Finding => {
    const own = [...(keys.get(pod.network) ?? [])];
    const [key] = own;
    const whose = `${own.map(labelOfKey).join(" and ") || "any range"} of ${pod.node}`;
    const message = `${pod.address} of ${nameOf(pod)} (${pod.network}) lies outside of ${whose}`;
    return { check: "outside", subjects: [nameOf(pod), `node/${pod.node}`], ...(key && { key }), message };
  });
  const note = `the pod network was not judged: ${total - ofPods.length} of its ${total} addresses lie in their nodes' ranges, so another IPAM plugin seems to give them`;
  return { findings, notes: judged ? [] : [note] };
}

function findNearlyFull({ sets }: ClusterUsage, nearly: number): Finding[] {
  return mergeBlocks(sets)
    .filter(({ pods, size }) => pods.length > 0 && pods.length * 100 >= Number(size) * nearly)
    .map(({ node, key, ranges, pods, size }) => ({
      check: "nearly-full",
      subjects: [`node/${node}`],
      key,
      message: `${formatRangeSet(ranges)} (${labelOfKey(key)} of ${node}): ${pods.length} of ${size} addresses are used`,
    }));
}

/** A pod gets its address out of any block of a pool that isn't closing: a Node's count together. */
function mergeBlocks(sets: Usage[]): Usage[] {
  const ofPools = Map.groupBy(
    sets.filter(({ block }) => block && !block.closing),
    ({ node, key }) => `${node} ${key}`,
  );
  const merged = [...ofPools.values()].map((all) => ({
    ...(all[0] as Usage),
    ranges: all.flatMap(({ ranges }) => ranges),
    size: all.reduce((sum, { size }) => sum + size, 0n),
    pods: all.flatMap(({ pods }) => pods),
  }));
  return [...sets.filter(({ block }) => !block), ...merged];
}

function nameOf({ namespace, pod }: PodAddress): string {
  return `${namespace}/${pod}`;
}
