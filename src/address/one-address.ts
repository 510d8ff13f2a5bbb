import { parseCidr } from "./cidr.ts";
import { formatIp, isV4Mapped, parseIp } from "./ip.ts";

/** Why what somebody wrote isn't the one address that was asked for, though it is something of the kind; else undefined. */
export function oneAddressFault(text: string): string | undefined {
  if (parseCidr(text)) return `${text} is a network: name one address`;
  const ip = parseIp(text);
  if (!ip || !isV4Mapped(ip)) return undefined;
  const plain = formatIp({ family: 4, value: ip.value & 0xffffffffn });
  return `${text} is an IPv4 address written as IPv6: write it as IPv4, ${plain}`;
}
