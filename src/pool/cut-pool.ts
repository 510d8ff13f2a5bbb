import { type Cidr, firstOf, lastOf, network, parseCidr, sizeOf } from "../address/cidr.ts";
import { bitsOf, type Ip, parseIp } from "../address/ip.ts";
import { gaps, mergeRuns, type Run } from "../address/runs.ts";
import type { CIDRPoolSpec, IPPoolSpec } from "../api/pool-shape.ts";
import type { Grid } from "./grid.ts";
import type { GatewayRule, Pool, StaticBlock } from "./pool.ts";

type Cut = Pick<
  Pool,
  "network" | "grid" | "inside" | "excluded" | "usable" | "placesIn" | "gateway" | "statics" | "staticOf"
>;

/** The numbers of a spec that keeps the rules. */
export function cutPool(spec: IPPoolSpec | CIDRPoolSpec): Cut {
  return "subnet" in spec ? cutFlat(spec) : cutNetworks(spec);
}

/** All nodes share the subnet: blocks lie side by side on its usable addresses. */
function cutFlat(spec: IPPoolSpec): Cut {
  const subnet = network(parseCidr(spec.subnet) as Cidr);
  const whole = usablePlaces(subnet.ip.family, sizeOf(subnet));
  const base = subnet.ip.value;
  const inside = { first: base + whole.first, last: base + whole.last };
  const size = BigInt(spec.perNodeBlockSize);
  const count = (inside.last - inside.first + 1n) / size;
  const placesIn = (blockSize: bigint) => placesFor(spec, { first: 0n, last: blockSize - 1n });
  return {
    network: subnet,
    grid: { family: subnet.ip.family, first: inside.first, size, count },
    inside,
    excluded: readExclusions(spec),
    usable: placesIn(size),
    placesIn,
    gateway:
      spec.gateway === undefined ? { at: "nowhere" } : { at: "address", ip: parseIp(spec.gateway) as Ip },
    statics: new Map(),
    staticOf: new Map(),
  };
}

/** Each node has a network of its own. */
function cutNetworks(spec: CIDRPoolSpec): Cut {
  const cidr = network(parseCidr(spec.cidr) as Cidr);
  const { family, value: first } = cidr.ip;
  const size = 1n << BigInt(bitsOf(family) - spec.perNodeNetworkPrefix);
  const grid: Grid = { family, first, size, count: sizeOf(cidr) / size };
  const statics = readStatics(spec, grid);
  const placesIn = (blockSize: bigint) => placesFor(spec, usablePlaces(family, blockSize));
  const gateway: GatewayRule =
    spec.gatewayIndex === undefined ? { at: "nowhere" } : { at: "index", index: BigInt(spec.gatewayIndex) };
  return {
    network: cidr,
    grid,
    inside: { first, last: lastOf(cidr).value },
    excluded: readExclusions(spec),
    usable: placesIn(size),
    placesIn,
    gateway,
    statics,
    staticOf: new Map(
      [...statics].flatMap(([index, { nodeName }]) => (nodeName === undefined ? [] : [[nodeName, index]])),
    ),
  };
}

/** A network's addresses without its own and IPv4's broadcast address, counted from its first; the two smallest sizes have neither. */
function usablePlaces(family: 4 | 6, size: bigint): Run {
  if (size <= 2n) return { first: 0n, last: size - 1n };
  return { first: 1n, last: family === 4 ? size - 2n : size - 1n };
}

/** What exclusions of all nodes and reserved ends leave of a block's places. Ends are those of the usable ones, indexes the block's. */
function placesFor(spec: IPPoolSpec | CIDRPoolSpec, { first, last }: Run): Run[] {
  const { first: reservedFirst = 0, last: reservedLast = 0 } = spec.perNodeReserved ?? {};
  const excluded = (spec.perNodeExclusions ?? []).map(({ startIndex, endIndex }) => ({
    first: BigInt(startIndex),
    last: BigInt(endIndex),
  }));
  return gaps(
    { first: first + BigInt(reservedFirst), last: last - BigInt(reservedLast) },
    mergeRuns(excluded),
  );
}

function readExclusions({ exclusions = [] }: IPPoolSpec | CIDRPoolSpec): Run[] {
  return mergeRuns(
    exclusions.map(({ startIP, endIP }) => ({
      first: (parseIp(startIP) as Ip).value,
      last: (parseIp(endIP) as Ip).value,
    })),
  );
}

function readStatics({ staticAllocations = [] }: CIDRPoolSpec, grid: Grid): Map<bigint, StaticBlock> {
  return new Map(
    staticAllocations.map(({ prefix, nodeName, gateway }) => [
      (firstOf(parseCidr(prefix) as Cidr).value - grid.first) / grid.size,
      {
        // nv-ipam's manifests say "" where they mean nobody.
        ...(nodeName && { nodeName }),
        ...(gateway !== undefined && { gateway: parseIp(gateway) as Ip }),
      },
    ]),
  );
}
