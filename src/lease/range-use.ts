import { parseCidr } from "../address/cidr.ts";
import { type Ip, parseIp } from "../address/ip.ts";
import {
  formatRange,
  gatewayOf,
  givable,
  isInside,
  type Range,
  type RangeSet,
  type Span,
  spanOf,
} from "../address/range.ts";
import { isObject, type JsonObject } from "../text/json.ts";
import type { Holding, Inventory } from "./inventory.ts";

/** A range and what is left of it. `size` is what host-local can give out of it: the gateway's address is not. */
export type RangeUse = { range: Range; size: bigint; used: bigint; free: bigint };

/** What is used of each of these ranges in a network. */
export function rangeUse(ranges: Range[], { holdings, emptyLeases }: Inventory): RangeUse[] {
  const taken = [...holdings.flatMap(({ leases }) => leases), ...emptyLeases].map(({ ip }) => ip);
  return ranges.map((range) => useOf(range, taken));
}

/** What is left of each block of a pool as a whole: exclusions cut it into ranges, and pods get addresses of any of them. */
export function byBlock(uses: RangeUse[]): RangeUse[] {
  const groups = Map.groupBy(uses, ({ range }) => range.pool?.block ?? range);
  return [...groups.values()].map((parts) => parts.reduce(join));
}

function join(one: RangeUse, next: RangeUse): RangeUse {
  const { rangeEnd } = next.range;
  return {
    range: { ...one.range, ...(rangeEnd !== undefined && { rangeEnd }) },
    size: one.size + next.size,
    used: one.used + next.used,
    free: one.free + next.free,
  };
}

/** The ranges that records tell of, each once, in the order of their addresses. */
export function knownRanges(holdings: Holding[]): Range[] {
  const all = holdings.flatMap(({ record }) => rangeSetsOf(record?.record?.ipam).flat());
  const each = [...new Map(all.map((range) => [formatRange(range), range])).values()];
  return each.sort((a, b) => compare(spanOf(a).first, spanOf(b).first));
}

function compare(a: Ip, b: Ip): number {
  return a.family - b.family || (a.value < b.value ? -1 : a.value > b.value ? 1 : 0);
}

/** The range sets in a delegate's `ipam`: those that are in host-local's form and make sense. */
export function rangeSetsOf(ipam: JsonObject | undefined): RangeSet[] {
  const sets: unknown[] = Array.isArray(ipam?.["ranges"]) ? ipam["ranges"] : [];
  return sets.map((set) => (Array.isArray(set) ? set.filter(isRange) : []));
}

function isRange(value: unknown): value is Range {
  if (!isObject(value) || typeof value["subnet"] !== "string") return false;
  const isAddress = (key: string) => value[key] === undefined || parseIp(String(value[key])) !== undefined;
  return parseCidr(value["subnet"]) !== undefined && ["rangeStart", "rangeEnd", "gateway"].every(isAddress);
}

/** What of a range is used, `taken` being the addresses of all leases. */
export function useOf(range: Range, taken: Ip[]): RangeUse {
  const span = spanOf(range);
  const gateway = gatewayOf(range);
  const size = givable(range);
  const used = BigInt(taken.filter((ip) => isUsed(ip, span, gateway)).length);
  return { range, size, used, free: size > used ? size - used : 0n };
}

function isUsed(ip: Ip, span: Span, gateway: Ip | undefined): boolean {
  return isInside(span, ip) && ip.value !== gateway?.value;
}
