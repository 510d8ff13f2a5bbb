import {
  type Cidr,
  contains,
  firstOf,
  formatCidr,
  hasHostBits,
  network,
  parseCidr,
  sizeOf,
} from "../address/cidr.ts";
import { bitsOf, formatIp, type Ip, parseIp } from "../address/ip.ts";
import type { Run } from "../address/runs.ts";
import type { JsonObject } from "../text/json.ts";
import { blockFaults, timeFaults } from "./pool-block-rules.ts";
import type { PoolKind } from "./pool-kind.ts";
import { type CIDRPoolSpec, type IPPoolSpec, type PlacedFault, readPoolShape } from "./pool-shape.ts";

/** All that is wrong with a pool's spec: first its keys and kinds of values, and where those are good, nv-ipam's rules. */
export function poolFaults(kind: PoolKind, spec: JsonObject): PlacedFault[] {
  const read = readPoolShape(kind, spec);
  if ("faults" in read) return read.faults;
  const { spec: shaped } = read;
  return "subnet" in shaped ? ipPoolFaults(shaped) : cidrPoolFaults(shaped);
}

/** The network that a good spec's blocks are cut out of. */
export function poolNetwork(kind: PoolKind, spec: JsonObject): Cidr | undefined {
  const text = spec[kind === "IPPool" ? "subnet" : "cidr"];
  return typeof text === "string" ? parseCidr(text) : undefined;
}

type Check = [isWrong: boolean, path: PlacedFault["path"], words: string];

function collect(checks: Check[]): PlacedFault[] {
  return checks.flatMap(([isWrong, path, words]) => (isWrong ? [{ path, words }] : []));
}

function ipPoolFaults(spec: IPPoolSpec): PlacedFault[] {
  const subnet = parseCidr(spec.subnet) as Cidr;
  const usable = usableOf(subnet);
  const { perNodeBlockSize: size, gateway } = spec;
  const gatewayIp = gateway === undefined ? undefined : parseIp(gateway);
  return [
    ...collect([
      [
        BigInt(size) > usable,
        ["perNodeBlockSize"],
        `${size} addresses, but ${spec.subnet} has ${usable} usable ones`,
      ],
      [
        gatewayIp !== undefined && !contains(subnet, gatewayIp),
        ["gateway"],
        `${gateway} is outside of ${spec.subnet}`,
      ],
    ]),
    ...indexFaults(spec, BigInt(size)),
    ...blockFaults(spec, { first: 0n, last: BigInt(size) - 1n }),
    ...commonFaults(spec, subnet, gateway !== undefined),
  ];
}

function cidrPoolFaults(spec: CIDRPoolSpec): PlacedFault[] {
  const cidr = parseCidr(spec.cidr) as Cidr;
  const bits = bitsOf(cidr.ip.family);
  const prefix = spec.perNodeNetworkPrefix;
  const isPrefixGood = prefix >= cidr.prefix && prefix <= bits;
  const each = isPrefixGood ? { ip: firstOf(cidr), prefix } : undefined;
  const { gatewayIndex } = spec;
  return [
    ...collect([
      [hasHostBits(cidr), ["cidr"], `${spec.cidr} has host bits set: write ${formatCidr(network(cidr))}`],
      [!isPrefixGood, ["perNodeNetworkPrefix"], `/${prefix}: expected /${cidr.prefix} to /${bits}`],
      [
        each !== undefined && gatewayIndex !== undefined && !isGatewayIndex(each, gatewayIndex),
        ["gatewayIndex"],
        `a node's /${prefix} has no gateway at index ${gatewayIndex}`,
      ],
    ]),
    ...(each ? indexFaults(spec, sizeOf(each)) : []),
    ...(each ? blockFaults(spec, usablePlaces(each)) : []),
    ...staticFaults(spec, cidr),
    ...commonFaults(spec, cidr, gatewayIndex !== undefined),
  ];
}

/** Addresses that pods can have: all of the two smallest sizes, else without the network's and IPv4's broadcast address. */
function usableOf({ ip, prefix }: Cidr): bigint {
  const size = 1n << BigInt(bitsOf(ip.family) - prefix);
  return size <= 2n ? size : ip.family === 4 ? size - 2n : size - 1n;
}

/** Where in a node's network the addresses are that pods can have. */
function usablePlaces(node: Cidr): Run {
  const first = sizeOf(node) <= 2n ? 0n : 1n;
  return { first, last: first + usableOf(node) - 1n };
}

function isGatewayIndex(node: Cidr, index: number): boolean {
  const size = sizeOf(node);
  if (size <= 2n) return BigInt(index) < size;
  return index > 0 && BigInt(index) <= usableOf(node);
}

function indexFaults({ perNodeExclusions = [] }: IPPoolSpec | CIDRPoolSpec, size: bigint): PlacedFault[] {
  return perNodeExclusions.flatMap(({ startIndex, endIndex }, i) =>
    collect([
      [endIndex < startIndex, ["perNodeExclusions", i, "endIndex"], "the end comes before the start"],
      [
        BigInt(endIndex) >= size,
        ["perNodeExclusions", i, "endIndex"],
        `a node has ${size} addresses: expected an index below`,
      ],
    ]),
  );
}

function staticFaults(
  { staticAllocations = [], perNodeNetworkPrefix }: CIDRPoolSpec,
  cidr: Cidr,
): PlacedFault[] {
  const placed = staticAllocations.map(({ prefix, ...one }) => ({
    ...one,
    text: prefix,
    prefix: parseCidr(prefix) as Cidr,
  }));
  const isSecond = (i: number, of: (one: (typeof placed)[number]) => string | undefined) =>
    Boolean(of(placed[i] as (typeof placed)[number])) &&
    placed.findIndex((one) => of(one) === of(placed[i] as (typeof placed)[number])) < i;
  return placed.flatMap(({ text, prefix, gateway, nodeName }, i) => {
    const at = (key: string) => ["staticAllocations", i, key];
    const gatewayIp = gateway === undefined ? undefined : parseIp(gateway);
    return collect([
      [hasHostBits(prefix), at("prefix"), `${text} has host bits set: write ${formatCidr(network(prefix))}`],
      [!contains(cidr, prefix.ip), at("prefix"), `${text} is outside of ${formatCidr(cidr)}`],
      [prefix.prefix !== perNodeNetworkPrefix, at("prefix"), `${text}: expected a /${perNodeNetworkPrefix}`],
      [
        gatewayIp !== undefined && !contains(prefix, gatewayIp),
        at("gateway"),
        `${gateway} is outside of ${text}`,
      ],
      [isSecond(i, (one) => one.nodeName), at("nodeName"), `${nodeName} has a prefix already`],
      [isSecond(i, (one) => formatCidr(network(one.prefix))), at("prefix"), `${text} is given twice`],
    ]);
  });
}

function commonFaults(spec: IPPoolSpec | CIDRPoolSpec, pool: Cidr, hasGateway: boolean): PlacedFault[] {
  const { exclusions = [], routes = [], defaultGateway } = spec;
  const family = pool.ip.family;
  const outside = (ip: Ip) => `${formatIp(ip)} is outside of ${formatCidr(network(pool))}`;
  return [
    ...exclusions.flatMap(({ startIP, endIP }, i) => {
      const [start, end] = [parseIp(startIP) as Ip, parseIp(endIP) as Ip];
      return collect([
        [!contains(pool, start), ["exclusions", i, "startIP"], outside(start)],
        [!contains(pool, end), ["exclusions", i, "endIP"], outside(end)],
        [
          start.family === end.family && end.value < start.value,
          ["exclusions", i, "endIP"],
          "the end comes before the start",
        ],
      ]);
    }),
    ...routes.flatMap(({ dst }, i) => {
      const { ip, prefix } = parseCidr(dst) as Cidr;
      return collect([
        [ip.family !== family, ["routes", i, "dst"], `expected a network of IPv${family}, the pool's family`],
        [
          defaultGateway === true && prefix === 0,
          ["routes", i, "dst"],
          "a default route beside defaultGateway",
        ],
      ]);
    }),
    ...timeFaults(spec),
    ...collect([
      [defaultGateway === true && !hasGateway, ["defaultGateway"], "there is no gateway to take"],
      [routes.length > 0 && !hasGateway, ["routes"], "routes need a gateway"],
    ]),
  ];
}
