import { firstOf, lastOf, parseCidr } from "../address/cidr.ts";
import { formatIp, type Ip, parseIp } from "../address/ip.ts";
import type { Span } from "../address/range.ts";
import { gatewayOfBlock } from "../pool/block-addresses.ts";
import { spanOfBlock } from "../pool/grid.ts";
import type { Pool } from "../pool/pool.ts";
import { isObject } from "../text/json.ts";

/** What one allocation of nv-ipam's says, as a place on its pool's grid. */
export type PlacedAllocation = { nodeName: string; index: bigint };

/** An allocation that is a block of the pool exactly, or what makes it none, as a sentence without its subject. */
export function placeAllocation(pool: Pool, raw: unknown): PlacedAllocation | { doubt: string } {
  const nodeName = isObject(raw) ? raw["nodeName"] : undefined;
  if (!isObject(raw) || typeof nodeName !== "string" || nodeName === "")
    return { doubt: `an allocation names no Node: ${JSON.stringify(raw)}` };
  const span = pool.kind === "IPPool" ? readEnds(raw["startIP"], raw["endIP"]) : readPrefix(raw["prefix"]);
  const shown = shownOf(raw);
  if (!span) return { doubt: `the allocation of ${nodeName} can't be read: ${shown}` };
  const index = indexOf(pool, span);
  if (typeof index === "string") return { doubt: `${shown} of ${nodeName} ${index}` };
  const fault = gatewayFault(pool, { index, span }, raw["gateway"]);
  return fault === undefined ? { nodeName, index } : { doubt: `${shown} of ${nodeName} ${fault}` };
}

function shownOf({ startIP, endIP, prefix }: Record<string, unknown>): string {
  return prefix === undefined ? `${startIP}-${endIP}` : String(prefix);
}

function readEnds(start: unknown, end: unknown): Span | undefined {
  const [first, last] = [start, end].map((one) => (typeof one === "string" ? parseIp(one) : undefined));
  if (!first || !last || first.family !== last.family || last.value < first.value) return undefined;
  return { first, last };
}

function readPrefix(prefix: unknown): Span | undefined {
  const cidr = typeof prefix === "string" ? parseCidr(prefix) : undefined;
  return cidr && cidr.ip.value === firstOf(cidr).value
    ? { first: firstOf(cidr), last: lastOf(cidr) }
    : undefined;
}

/** The place whose addresses these are, or why they are no place's. */
function indexOf({ grid, network }: Pool, { first, last }: Span): bigint | string {
  const [from, to] = [firstOf(network), lastOf(network)];
  if (first.family !== grid.family || first.value < from.value || last.value > to.value)
    return `lies outside of ${formatIp(from)}-${formatIp(to)}, the pool's addresses`;
  const offset = first.value - grid.first;
  const size = last.value - first.value + 1n;
  if (size !== grid.size) return `has ${size} addresses, and the pool's blocks have ${grid.size}`;
  if (offset < 0n || offset % grid.size !== 0n) return nextPlaces(grid, offset);
  const index = offset / grid.size;
  return index < grid.count ? index : "lies beyond the pool's last block";
}

function nextPlaces(grid: Pool["grid"], offset: bigint): string {
  const before = offset < 0n ? 0n : offset / grid.size;
  const { first, last } = spanOfBlock(grid, before);
  return `is off the pool's grid: a block is ${formatIp(first)}-${formatIp(last)}`;
}

/** What pods have as their gateway must be what the pool says: another one might be given to a pod. */
function gatewayFault(pool: Pool, block: { index: bigint; span: Span }, found: unknown): string | undefined {
  if (pool.kind === "IPPool" || found === undefined || found === null || found === "") return undefined;
  const given: Ip | undefined = typeof found === "string" ? parseIp(found) : undefined;
  const own = gatewayOfBlock(pool, block);
  if (given && own && given.family === own.family && given.value === own.value) return undefined;
  return `has the gateway ${found}, and by the pool's spec it has ${own ? formatIp(own) : "none"}`;
}
