import { type Cidr, contains, formatCidr, network } from "../address/cidr.ts";
import { bitsOf, formatIp } from "../address/ip.ts";
import type { Span } from "../address/range.ts";
import type { PoolAnnotationBlock } from "../api/pool-annotation.ts";
import type { Block } from "../pool/block.ts";

/** A block that closes, by its own addresses: its pool is gone or can't be planned with, and its agent has to be told all the same. */
export function projectClosing({ name, span }: Block): PoolAnnotationBlock | undefined {
  if (!span) return undefined;
  const range = `${formatIp(span.first)}-${formatIp(span.last)}`;
  return { name, subnet: formatCidr(smallestNetwork(span)), ranges: [range], closing: true };
}

function smallestNetwork({ first, last }: Span): Cidr {
  let prefix = bitsOf(first.family);
  while (!contains(network({ ip: first, prefix }), last)) prefix--;
  return network({ ip: first, prefix });
}
