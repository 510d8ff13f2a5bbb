/** An address as a number: 32 bits for family 4, 128 for family 6. */
export type Ip = { readonly family: 4 | 6; readonly value: bigint };

const octet = /^(?:0|[1-9]\d{0,2})$/;
const group = /^[0-9a-fA-F]{1,4}$/;

/** Bits of an address of that family. */
export function bitsOf(family: 4 | 6): number {
  return family === 4 ? 32 : 128;
}

/** An address in any spelling that Go's net.ParseIP takes (no zone, no leading zeros in IPv4); else undefined. */
export function parseIp(text: string): Ip | undefined {
  const value = text.includes(":") ? parseV6(text) : parseV4(text);
  return value === undefined ? undefined : { family: text.includes(":") ? 6 : 4, value };
}

function parseV4(text: string): bigint | undefined {
  const octets = text.split(".");
  if (octets.length !== 4) return undefined;
  let value = 0;
  for (const part of octets) {
    if (!octet.test(part) || Number(part) > 255) return undefined;
    value = value * 256 + Number(part);
  }
  return BigInt(value);
}

function parseV6(text: string): bigint | undefined {
  const plain = spellOutDottedEnd(text);
  const halves = plain?.split("::").map((half) => (half === "" ? [] : half.split(":")));
  if (halves === undefined || halves.length > 2) return undefined;
  const [head = [], tail] = halves;
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...Array<string>(missing).fill("0"), ...(tail ?? [])];
  if (!groups.every((part) => group.test(part))) return undefined;
  return BigInt(`0x${groups.map((part) => part.padStart(4, "0")).join("")}`);
}

/** `4000::16.0.0.0` → `4000::1000:0`. */
function spellOutDottedEnd(text: string): string | undefined {
  const lastColon = text.lastIndexOf(":");
  if (!text.includes(".", lastColon)) return text;
  const value = parseV4(text.slice(lastColon + 1));
  if (value === undefined) return undefined;
  return `${text.slice(0, lastColon + 1)}${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`;
}

/** IPv4 inside ::ffff:0:0/96: written as IPv6, but every tool of the kernel's and Go's treats it as IPv4. */
export function isV4Mapped(ip: Ip): boolean {
  return ip.family === 6 && ip.value >> 32n === 0xffffn;
}

/** Canonical text (RFC 5952), as host-local names its lease files. */
export function formatIp(ip: Ip): string {
  if (ip.family === 4) return formatV4(ip.value);
  if (isV4Mapped(ip)) return `::ffff:${formatV4(ip.value & 0xffffffffn)}`;
  const groups = Array.from({ length: 8 }, (_, i) => Number((ip.value >> BigInt(112 - 16 * i)) & 0xffffn));
  const { start, length } = longestZeroRun(groups);
  const hex = (part: number[]) => part.map((value) => value.toString(16)).join(":");
  return length < 2 ? hex(groups) : `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`;
}

function formatV4(value: bigint): string {
  const number = Number(value);
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join(".");
}

function longestZeroRun(groups: number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (groups[end] === 0) end++;
    if (end - start > best.length) best = { start, length: end - start };
    start = Math.max(start, end - 1);
  }
  return best;
}
