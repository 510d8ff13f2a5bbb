import { contains, formatCidr, hasHostBits, network, parseCidr } from "../address/cidr.ts";
import { bitsOf, isV4Mapped, parseIp } from "../address/ip.ts";
import { countOf, familyOf, overlaps, type Range, type RangeSet, spanOf } from "../address/range.ts";
import { isObject, kindOf } from "../text/json.ts";
import { didYouMean } from "../text/nearest.ts";
import { quote } from "../text/quote.ts";

/** What is wrong with a value, or with the key itself: `path` as in `ranges[0][1].subnet`, `words` with what was expected and what to do. */
export type Fault = { path: string; words: string; isKey?: true };

const rangeKeys = ["subnet", "rangeStart", "rangeEnd", "gateway"];

/** What host-local would refuse, or wrongly take, in a network written as text; undefined where it is good. */
export function subnetFault(text: string): string | undefined {
  const cidr = parseCidr(text);
  if (!cidr)
    return `${quote(text)} is no CIDR: expected an address, "/" and a prefix length, as in 10.1.2.0/24 or fd00:1::/64`;
  if (isV4Mapped(cidr.ip)) return `${text} is an IPv4 network written as IPv6: write it as IPv4`;
  const longest = bitsOf(cidr.ip.family) - 2;
  if (cidr.prefix > longest)
    return `${text} is too small to give pods addresses: expected /${longest} or shorter`;
  if (hasHostBits(cidr)) return `${text} has host bits set: write ${formatCidr(network(cidr))}`;
  return undefined;
}

/** All range sets of a node: the first fault, or none. Accepts what host-local takes and works with, nothing more. */
export function rangeSetsFault(value: unknown, path: string): Fault | undefined {
  if (!Array.isArray(value))
    return { path, words: `expected an array of range sets, found ${kindOf(value)}` };
  if (value.length === 0) return { path, words: "expected at least one range set, found an empty array" };
  for (const [index, set] of value.entries()) {
    const fault = rangeSetFault(set, `${path}[${index}]`);
    if (fault) return fault;
  }
  return overlapFault(value as RangeSet[], path);
}

function rangeSetFault(set: unknown, path: string): Fault | undefined {
  if (!Array.isArray(set))
    return { path, words: `expected a range set, that is an array of ranges, found ${kindOf(set)}` };
  if (set.length === 0) return { path, words: "expected at least one range in the set, found none" };
  for (const [index, range] of set.entries()) {
    const fault = rangeFault(range, `${path}[${index}]`);
    if (fault) return fault;
  }
  const [first, ...others] = set as RangeSet;
  const odd = others.findIndex((range) => familyOf(range) !== familyOf(first as Range));
  if (odd < 0) return undefined;
  return {
    path: `${path}[${odd + 1}].subnet`,
    words: "IPv4 and IPv6 in one range set: give each family a set of its own",
  };
}

function rangeFault(range: unknown, path: string): Fault | undefined {
  if (!isObject(range))
    return { path, words: `expected a range like {"subnet": "10.1.2.0/24"}, found ${kindOf(range)}` };
  for (const [key, value] of Object.entries(range)) {
    if (!rangeKeys.includes(key)) {
      return {
        path: `${path}.${key}`,
        isKey: true,
        words: `unknown key${didYouMean(key, rangeKeys)}: expected ${rangeKeys.join(", ")}`,
      };
    }
    if (typeof value !== "string")
      return { path: `${path}.${key}`, words: `expected a string, found ${kindOf(value)}` };
  }
  if (range["subnet"] === undefined) return { path, words: "a range without subnet" };
  const words = subnetFault(range["subnet"] as string);
  return words ? { path: `${path}.subnet`, words } : insideFault(range as Range, path);
}

/** Start, end and gateway lie in the subnet, in this order. */
function insideFault(range: Range, path: string): Fault | undefined {
  const subnet = parseCidr(range.subnet);
  for (const key of ["rangeStart", "rangeEnd", "gateway"] as const) {
    const text = range[key];
    if (text === undefined) continue;
    const ip = parseIp(text);
    if (!ip) return { path: `${path}.${key}`, words: `${quote(text)} is no IP address` };
    if (!subnet || !contains(subnet, ip))
      return { path: `${path}.${key}`, words: `${text} is outside of ${range.subnet}` };
  }
  if (countOf(spanOf(range)) > 0n) return undefined;
  return { path: `${path}.rangeEnd`, words: "the range ends before it starts" };
}

function overlapFault(sets: RangeSet[], path: string): Fault | undefined {
  const all = sets.flatMap((set, i) =>
    set.map((range, j) => ({ range, path: `${path}[${i}][${j}]`, span: spanOf(range) })),
  );
  for (const [index, one] of all.entries()) {
    const other = all.slice(0, index).find(({ span }) => overlaps(span, one.span));
    if (other)
      return {
        path: one.path,
        words: `${one.range.subnet} overlaps with ${other.range.subnet} of ${other.path}`,
      };
  }
  return undefined;
}
