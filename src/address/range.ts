import { type Cidr, firstOf, lastOf, parseCidr } from "./cidr.ts";
import { formatIp, type Ip, parseIp } from "./ip.ts";

/** One range of host-local's configuration, as it is written there (pkg `allocator.Range`). */
export type Range = {
  subnet: string;
  rangeStart?: string;
  rangeEnd?: string;
  gateway?: string;
  /** host-local passes it over. */
  pool?: PoolPart;
};

/** What pods are told of an address of a pool, and host-local can't say: it takes no /31, and makes up a gateway where there is none. */
export type PoolPart = {
  /** The NodeBlock's name. */
  block: string;
  /** The block's first address, where no pod gets it: addresses of a block are counted from there. */
  first?: string;
  /** The prefix length that pods get. */
  prefix: number;
  gateway?: string;
  /** Networks that are reached through that gateway. */
  routes?: string[];
};

/** host-local gives one address out of each set; the ranges of a set are of one family. */
export type RangeSet = Range[];

/** The addresses of a range, both ends included. */
export type Span = { readonly first: Ip; readonly last: Ip };

/** The addresses host-local would hand out of a valid range: its own start and end, else the subnet but for its ends. */
export function spanOf(range: Range): Span {
  const subnet = parseCidr(range.subnet);
  if (!subnet) throw new TypeError(`not a subnet: ${range.subnet}`);
  return {
    first: (range.rangeStart ? parseIp(range.rangeStart) : undefined) ?? usableFirst(subnet),
    last: (range.rangeEnd ? parseIp(range.rangeEnd) : undefined) ?? usableLast(subnet),
  };
}

function usableFirst(subnet: Cidr): Ip {
  const { family, value } = firstOf(subnet);
  return { family, value: value + 1n };
}

/** IPv4's last address is the broadcast address; IPv6 has none. */
function usableLast(subnet: Cidr): Ip {
  const { family, value } = lastOf(subnet);
  return family === 4 ? { family, value: value - 1n } : { family, value };
}

/**
 * The address that host-local gives to no pod, since it is the gateway's: the subnet's first, unless the range says otherwise. A pool
 * may have none: what its range names for host-local then is none of the addresses for pods.
 */
export function gatewayOf({ subnet, gateway, pool }: Range): Ip | undefined {
  if (pool) return typeof pool.gateway === "string" ? parseIp(pool.gateway) : undefined;
  const given = gateway === undefined ? undefined : parseIp(gateway);
  if (given) return given;
  const cidr = parseCidr(subnet);
  if (!cidr) throw new TypeError(`not a subnet: ${subnet}`);
  return usableFirst(cidr);
}

export function familyOf(range: Range): 4 | 6 {
  return range.subnet.includes(":") ? 6 : 4;
}

/** Addresses in a span; 0 where it is the wrong way round. */
export function countOf({ first, last }: Span): bigint {
  return last.value < first.value ? 0n : last.value - first.value + 1n;
}

export function overlaps(a: Span, b: Span): boolean {
  return a.first.family === b.first.family && a.first.value <= b.last.value && b.first.value <= a.last.value;
}

export function isInside(span: Span, ip: Ip): boolean {
  return ip.family === span.first.family && ip.value >= span.first.value && ip.value <= span.last.value;
}

/** How many addresses host-local can give out of a range: the gateway's is not one of them. */
export function givable(range: Range): bigint {
  const span = spanOf(range);
  const gateway = gatewayOf(range);
  return countOf(span) - (gateway && isInside(span, gateway) ? 1n : 0n);
}

/** `10.1.0.0/24`, with its ends where they are its own: `10.1.0.10-10.1.0.99/24`. */
export function formatRange(range: Range): string {
  if (range.rangeStart === undefined && range.rangeEnd === undefined) return range.subnet;
  const { first, last } = spanOf(range);
  return `${formatIp(first)}-${formatIp(last)}/${range.pool?.prefix ?? range.subnet.split("/")[1]}`;
}
