import { contains, parseCidr } from "../address/cidr.ts";
import type { Ip } from "../address/ip.ts";
import { formatIp } from "../address/ip.ts";
import type { RangeSet } from "../address/range.ts";
import type { PodAddress } from "./pod-address.ts";
import { holds, rangeSetsOf } from "./range-set.ts";
import type { Survey } from "./survey.ts";

/** What is known of one address: the ranges that it lies in, the pods that have it, and the Services' CIDR where it is theirs. */
export type AddressFacts = {
  address: string;
  ranges: { node: string; key: string; networks: string[]; ranges: RangeSet }[];
  pods: Omit<PodAddress, "address">[];
  serviceCIDR?: string;
};

export function gatherFacts(survey: Survey, ip: Ip): AddressFacts {
  const address = formatIp(ip);
  const serviceCIDR = survey.serviceCIDRs.find((text) => {
    const cidr = parseCidr(text);
    return cidr !== undefined && contains(cidr, ip);
  });
  return {
    address,
    ranges: survey.ranges
      .flatMap(rangeSetsOf)
      .filter((set) => holds(set, ip))
      .map(({ node, key, ranges }) => ({ node, key, networks: networksOf(survey, key), ranges })),
    pods: survey.pods.filter((pod) => pod.address === address).map(({ address: _, ...pod }) => pod),
    ...(serviceCIDR !== undefined && { serviceCIDR }),
  };
}

/** Pods that have the address in one network, or in networks of one key. */
export function isHeldTwice({ networks }: Survey, { pods }: AddressFacts): boolean {
  const keys = new Map(networks.map(({ name, key }) => [name, key]));
  const spaces = Map.groupBy(pods, ({ network }) => keys.get(network) ?? network);
  return [...spaces.values()].some(
    (all) => new Set(all.map(({ namespace, pod }) => `${namespace}/${pod}`)).size > 1,
  );
}

function networksOf({ networks }: Survey, key: string): string[] {
  return networks.filter((network) => network.key === key).map(({ name }) => name);
}
