import { type Cidr, firstOf, formatCidr, network, parseCidr, sizeOf } from "../address/cidr.ts";
import { bitsOf, formatIp } from "../address/ip.ts";
import { countOf, gatewayOf, type Range, type Span, spanOf } from "../address/range.ts";
import type { PoolKind } from "../api/pool-kind.ts";
import { spanOfBlock } from "../pool/grid.ts";
import { readPool } from "../pool/read-pool.ts";
import type { JsonObject } from "../text/json.ts";
import type { HandRanges } from "./read-hand-ranges.ts";

/** A pool that gives each node just what it has, with each node's place on its grid; or why there is none. */
export type Fit =
  | { kind: PoolKind; spec: JsonObject; places: { node: string; index: bigint }[] }
  | { why: string };

type One = { node: string; range: Range; subnet: Cidr; span: Span; gateway: bigint | undefined };

export function fitPool(all: readonly HandRanges[]): Fit {
  const several = all.find(({ ranges }) => ranges.length !== 1 || ranges[0]?.length !== 1);
  if (several)
    return { why: `${several.node} has several ranges, and a pool gives a node one block of one family` };
  const ones = all.map(({ node, ranges }): One => {
    const range = ranges[0]?.[0] as Range;
    const subnet = network(parseCidr(range.subnet) as Cidr);
    return { node, range, subnet, span: spanOf(range), gateway: gatewayOf(range)?.value };
  });
  const [first] = ones;
  if (!first) return { why: "there are no ranges" };
  const isOneSubnet = ones.every(({ subnet }) => formatCidr(subnet) === formatCidr(first.subnet));
  return check(isOneSubnet && ones.length > 1 ? fitFlat(ones, first) : fitNetworks(ones, first), ones);
}

/** Parts of one subnet, all of one size. */
function fitFlat(ones: One[], first: One): Fit {
  const size = countOf(first.span);
  const uneven = ones.find(({ span }) => countOf(span) !== size);
  if (uneven)
    return {
      why: `${uneven.node} has ${countOf(uneven.span)} addresses, and ${first.node} has ${size}: a pool's blocks are of one size`,
    };
  if (ones.some(({ gateway }) => gateway !== first.gateway))
    return { why: "the nodes have several gateways" };
  const { family, value } = firstOf(first.subnet);
  const off = ones.find(({ span }) => (span.first.value - value - 1n) % size !== 0n);
  if (off)
    return {
      why: `no grid fits: blocks of ${size} begin at ${formatIp({ family, value: value + 1n })}, one after the other, and ${off.node} begins at ${formatIp(off.span.first)}`,
    };
  if (size > BigInt(Number.MAX_SAFE_INTEGER))
    return { why: "the ranges are larger than a pool's block can be" };
  return {
    kind: "IPPool",
    spec: {
      subnet: formatCidr(first.subnet),
      perNodeBlockSize: Number(size),
      ...gatewayKey(first, (ip) => ({ gateway: formatIp({ family, value: ip }) })),
    },
    places: ones.map(({ node, span }) => ({ node, index: (span.first.value - value - 1n) / size })),
  };
}

/** Each node has a subnet of its own, and in it the same part. */
function fitNetworks(ones: One[], first: One): Fit {
  const { family } = first.subnet.ip;
  const { prefix } = first.subnet;
  const uneven = ones.find(({ subnet }) => subnet.prefix !== prefix || subnet.ip.family !== family);
  if (uneven)
    return {
      why: `${uneven.node} has ${uneven.range.subnet}, and ${first.node} ${first.range.subnet}: a pool's networks are of one family and size`,
    };
  const partOf = ({ span, subnet, gateway }: One) =>
    [span.first.value, span.last.value, gateway ?? -1n].map((value) => value - firstOf(subnet).value).join();
  const other = ones.find((one) => partOf(one) !== partOf(first));
  if (other)
    return {
      why: `${other.node} has another part of its network, or another gateway in it, than ${first.node}: a pool has one rule for all`,
    };
  const whole = commonNetwork(ones.map(({ subnet }) => subnet));
  const start = firstOf(whole).value;
  const base = firstOf(first.subnet).value;
  const excluded = endsOf(first.span, base, sizeOf(first.subnet), family);
  return {
    kind: "CIDRPool",
    spec: {
      cidr: formatCidr(whole),
      perNodeNetworkPrefix: prefix,
      ...gatewayKey(first, (ip) => ({ gatewayIndex: Number(ip - base) })),
      ...(excluded.length > 0 && { perNodeExclusions: excluded }),
    },
    places: ones.map(({ node, subnet }) => ({
      node,
      index: (firstOf(subnet).value - start) / sizeOf(subnet),
    })),
  };
}

function gatewayKey({ gateway }: One, make: (ip: bigint) => JsonObject): JsonObject {
  return gateway === undefined ? {} : make(gateway);
}

/** What lies before and behind the part that pods get, as indexes in the node's network. */
function endsOf(
  { first, last }: Span,
  base: bigint,
  size: bigint,
  family: 4 | 6,
): { startIndex: number; endIndex: number }[] {
  const end = family === 4 ? size - 2n : size - 1n;
  const [from, to] = [first.value - base, last.value - base];
  return [
    ...(from > 1n ? [{ startIndex: 1, endIndex: Number(from - 1n) }] : []),
    ...(to < end ? [{ startIndex: Number(to + 1n), endIndex: Number(end) }] : []),
  ].filter(({ endIndex }) => Number.isSafeInteger(endIndex));
}

/** The smallest network that holds them all. */
function commonNetwork(subnets: Cidr[]): Cidr {
  const values = subnets.map(({ ip }) => ip.value).sort((a, b) => (a < b ? -1 : 1));
  const [low, high] = [values[0] as bigint, values.at(-1) as bigint];
  const { ip, prefix } = subnets[0] as Cidr;
  const different = low === high ? 0 : (low ^ high).toString(2).length;
  return network({ ip, prefix: Math.min(prefix, bitsOf(ip.family) - different) });
}

/** What a person would have to take our word for is looked up: the pool's rules, and that each block is the range. */
function check(fit: Fit, ones: One[]): Fit {
  if ("why" in fit) return fit;
  const read = readPool({ kind: fit.kind, name: "a", uid: "", spec: fit.spec });
  if (!("pool" in read))
    return {
      why: `a ${fit.kind} isn't allowed to be so: ${read.faults.map(({ words }) => words).join("; ")}`,
    };
  const spans = new Map(ones.map(({ node, span }) => [node, span]));
  const { grid } = read.pool;
  const odd = fit.places.find(({ node, index }) => {
    const span = spans.get(node) as Span;
    const block = spanOfBlock(grid, index);
    return (
      index < 0n ||
      index >= grid.count ||
      span.first.value < block.first.value ||
      span.last.value > block.last.value
    );
  });
  return odd
    ? {
        why: `no grid fits: ${odd.node}'s range is no block of ${fit.kind === "IPPool" ? "the subnet" : "the network"}`,
      }
    : fit;
}
