import { bitsOf, formatIp, type Ip, parseIp } from "./ip.ts";

/** A network: `ip` may carry host bits; `network()` is without them. */
export type Cidr = { readonly ip: Ip; readonly prefix: number };

/** `10.1.0.0/16` or `fd00::/48` with a prefix of the family's size at most, as Go's net.ParseCIDR takes it; else undefined. */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf("/");
  if (slash < 0) return undefined;
  const ip = parseIp(text.slice(0, slash));
  const digits = text.slice(slash + 1);
  if (!ip || !/^0*\d{1,3}$/.test(digits)) return undefined;
  const prefix = Number(digits);
  return prefix <= bitsOf(ip.family) ? { ip, prefix } : undefined;
}

export function formatCidr({ ip, prefix }: Cidr): string {
  return `${formatIp(ip)}/${prefix}`;
}

/** How many addresses the network has, network and broadcast address included. */
export function sizeOf({ ip, prefix }: Cidr): bigint {
  return 1n << BigInt(bitsOf(ip.family) - prefix);
}

export function network(cidr: Cidr): Cidr {
  return { ip: firstOf(cidr), prefix: cidr.prefix };
}

export function firstOf(cidr: Cidr): Ip {
  const size = sizeOf(cidr);
  return { family: cidr.ip.family, value: (cidr.ip.value / size) * size };
}

export function lastOf(cidr: Cidr): Ip {
  return { family: cidr.ip.family, value: firstOf(cidr).value + sizeOf(cidr) - 1n };
}

export function hasHostBits(cidr: Cidr): boolean {
  return firstOf(cidr).value !== cidr.ip.value;
}

export function contains(cidr: Cidr, ip: Ip): boolean {
  if (ip.family !== cidr.ip.family) return false;
  return ip.value >= firstOf(cidr).value && ip.value <= lastOf(cidr).value;
}
