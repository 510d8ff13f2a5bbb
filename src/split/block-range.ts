import { type Cidr, firstOf, formatCidr } from "../address/cidr.ts";
import { formatIp } from "../address/ip.ts";
import { type Range, spanOf } from "../address/range.ts";

/**
 * A block as a node's range: whole, or without its first `reserved` usable addresses, those for gateways and the like.
 * The network address doesn't count: with one reserved of 10.0.0.0/24, 10.0.0.1 is kept back.
 */
export function rangeOfBlock(block: Cidr, reserved: number): Range {
  const subnet = formatCidr(block);
  if (reserved === 0) return { subnet };
  const { family, value } = firstOf(block);
  const rangeStart = formatIp({ family, value: value + 1n + BigInt(reserved) });
  return { subnet, rangeStart, rangeEnd: formatIp(spanOf({ subnet }).last) };
}
