import { type Cidr, firstOf, lastOf, parseCidr } from "../address/cidr.ts";
import { formatIp, parseIp } from "../address/ip.ts";
import { type Range, type Span, spanOf } from "../address/range.ts";
import { quote } from "../text/quote.ts";

/** All addresses of a network, those at its ends included. */
export function wholeOf(cidr: Cidr): Span {
  return { first: firstOf(cidr), last: lastOf(cidr) };
}

/** `10.0.0.0/24` or `10.0.0.5-10.0.0.9`; throws an Error that says what was expected. */
export function parseSpan(text: string): Span {
  const cidr = parseCidr(text);
  if (cidr) return wholeOf(cidr);
  const [first, last, ...more] = text.split("-").map((part) => parseIp(part.trim()));
  if (!first || !last || more.length > 0)
    throw new Error(`${quote(text)} is no CIDR and no FIRST-LAST, as in 10.0.0.0/24 or 10.0.0.5-10.0.0.9`);
  if (first.family !== last.family)
    throw new Error(`${quote(text)} begins in one family and ends in the other`);
  if (last.value < first.value) throw new Error(`${quote(text)} ends before it begins`);
  return { first, last };
}

/** The CIDR of a span where there is one, else FIRST-LAST. */
export function formatSpan({ first, last }: Span): string {
  const size = last.value - first.value + 1n;
  const bits = size.toString(2);
  const isNetwork = /^10*$/.test(bits) && first.value % size === 0n;
  const longest = first.family === 4 ? 32 : 128;
  return isNetwork
    ? `${formatIp(first)}/${longest - (bits.length - 1)}`
    : `${formatIp(first)}-${formatIp(last)}`;
}

/**
 * What a node's range keeps others from: its subnet where that is no wider than a block, since the addresses that aren't
 * handed out there are the node's too; else what is handed out, since nodes may share a wide subnet.
 */
export function keptFromOthers(range: Range, longestShared: number): Span {
  const subnet = parseCidr(range.subnet) as Cidr;
  return subnet.prefix >= longestShared ? wholeOf(subnet) : spanOf(range);
}
