import { formatIp, type Ip, parseIp } from "../address/ip.ts";
import { isInside, type Range, type RangeSet, spanOf } from "../address/range.ts";
import type { JsonObject } from "../text/json.ts";

/** The same without some addresses, which nobody gets: ranges are cut around them. A set of which nothing is left stays, empty of them. */
export function withhold(ipam: JsonObject, addresses: readonly string[]): JsonObject {
  const ips = addresses.flatMap((text) => parseIp(text) ?? []);
  if (ips.length === 0) return ipam;
  const sets = (ipam["ranges"] as RangeSet[]).map((set) =>
    ips.reduce<RangeSet>((cut, ip) => cut.flatMap((range) => without(range, ip)), set),
  );
  return { ...ipam, ranges: sets };
}

function without(range: Range, ip: Ip): Range[] {
  const { first, last } = spanOf(range);
  if (!isInside({ first, last }, ip)) return [range];
  const parts = [
    { first, last: { ...ip, value: ip.value - 1n } },
    { first: { ...ip, value: ip.value + 1n }, last },
  ];
  return parts
    .filter((part) => part.first.value <= part.last.value)
    .map((part) => ({ ...range, rangeStart: formatIp(part.first), rangeEnd: formatIp(part.last) }));
}
