import { contains, parseCidr } from "../address/cidr.ts";
import type { Ip } from "../address/ip.ts";
import { formatIp } from "../address/ip.ts";
import type { RangeSet } from "../address/range.ts";
import { keysOfNetworks, spaceOf } from "./network.ts";
import type { PodAddress } from "./pod-address.ts";
import { findPlace, type PoolPlace } from "./pool-place.ts";
import type { PoolView } from "./pool-view.ts";
import { holds, rangeSetsOf } from "./range-set.ts";
import type { Survey } from "./survey.ts";

/** What is known of one address: the ranges that it lies in, the pods that have it, and the Services' CIDR where it is theirs. */
export type AddressFacts = {
  address: string;
  ranges: { node: string; key: string; networks: string[]; ranges: RangeSet }[];
  pods: Omit<PodAddress, "address">[];
  serviceCIDR?: string;
  /** The pools that it lies in, where there are some. */
  pools?: PoolPlace[];
};

export function gatherFacts(survey: Survey, ip: Ip, pools: readonly PoolView[] = []): AddressFacts {
  const address = formatIp(ip);
  const places = pools.flatMap((pool) => findPlace(pool, ip) ?? []);
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
    ...(places.length > 0 && { pools: places }),
  };
}

/** Pods that have the address in one network, or in networks of one key. */
export function isHeldTwice({ networks }: Survey, { pods }: AddressFacts): boolean {
  const keys = keysOfNetworks(networks);
  const spaces = Map.groupBy(pods, ({ network }) => spaceOf(keys, network));
  return [...spaces.values()].some(
    (all) => new Set(all.map(({ namespace, pod }) => `${namespace}/${pod}`)).size > 1,
  );
}

function networksOf({ networks }: Survey, key: string): string[] {
  return networks.filter((network) => network.key === key).map(({ name }) => name);
}
