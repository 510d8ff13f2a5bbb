import fc from "fast-check";
import { Address4, Address6 } from "ip-address";
import type { Range, RangeSet } from "../../src/address/range.ts";
import type { NodeRanges } from "../../src/api/annotation.ts";

/** A network without host bits that host-local takes, in the spelling that ip-address gives it. */
export function subnet(family: 4 | 6): fc.Arbitrary<string> {
  const v4 = fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 30 }));
  const v6 = fc.tuple(fc.ipV6(), fc.integer({ min: 0, max: 126 }));
  const network = (family === 4 ? v4 : v6).map(([ip, prefix]) => {
    const whole = family === 4 ? new Address4(`${ip}/${prefix}`) : new Address6(`${ip}/${prefix}`);
    return `${whole.startAddress().correctForm()}/${prefix}`;
  });
  return network.filter((text) => !/^::(?:ffff:|\/)/.test(text) || text === "::/0");
}

/** A range in block number `block` of its family: ranges of different blocks don't overlap. */
function range(family: 4 | 6, block: number): fc.Arbitrary<Range> {
  const bits = family === 4 ? 16 : 64;
  const smallest = family === 4 ? 30 : 126;
  const start =
    family === 4 ? (10n << 24n) | (BigInt(block) << 16n) : (0xfd00n << 112n) | (BigInt(block) << 64n);
  const whole = family === 4 ? 32 : 128;
  const print = (value: bigint) =>
    (family === 4 ? Address4.fromBigInt(value) : Address6.fromBigInt(value)).correctForm();
  return fc.integer({ min: whole - bits, max: smallest }).chain((prefix) => {
    const size = 1n << BigInt(whole - prefix);
    const offset = fc.bigInt({ min: 1n, max: size - 2n });
    return fc
      .record({
        place: fc.bigInt({ min: 0n, max: (1n << BigInt(bits)) / size - 1n }),
        ends: fc.tuple(offset, offset).map(([a, b]) => (a < b ? [a, b] : [b, a]) as [bigint, bigint]),
        given: fc.record({ rangeStart: fc.boolean(), rangeEnd: fc.boolean(), gateway: fc.boolean() }),
        gateway: offset,
      })
      .map(({ place, ends: [first, last], given, gateway }) => {
        const base = start + place * size;
        return {
          subnet: `${print(base)}/${prefix}`,
          ...(given.rangeStart && { rangeStart: print(base + first) }),
          ...(given.rangeEnd && { rangeEnd: print(base + last) }),
          ...(given.gateway && { gateway: print(base + gateway) }),
        };
      });
  });
}

const family = fc.constantFrom<(4 | 6)[]>(4, 6);

const sets: fc.Arbitrary<RangeSet[]> = fc
  .array(fc.tuple(family, fc.integer({ min: 1, max: 3 })), { minLength: 1, maxLength: 4 })
  .chain((shapes) =>
    fc.tuple(
      ...shapes.map(([family, count], set) =>
        fc.tuple(...Array.from({ length: count }, (_, index) => range(family, set * 8 + index))),
      ),
    ),
  );

const route = family.chain((one) =>
  fc.record(
    { dst: subnet(one), gw: one === 4 ? fc.ipV4() : fc.ipV6(), mtu: fc.nat(9000) },
    { requiredKeys: ["dst"] },
  ),
);

/** What any annotation may say: sets of several ranges, gateways, ends, routes; in canonical spelling. */
export const nodeRanges: fc.Arbitrary<NodeRanges> = fc.record(
  { ranges: sets, routes: fc.array(route, { maxLength: 3 }) },
  { requiredKeys: ["ranges"], noNullPrototype: true },
);

const listed = (one: 4 | 6) =>
  range(one, 1).map(({ subnet, rangeStart, rangeEnd }) => [
    rangeStart && rangeEnd ? { subnet, rangeStart, rangeEnd } : { subnet },
  ]);

/** What the list form can say: a network or a span of each family, or of one. */
export const listedRanges: fc.Arbitrary<NodeRanges> = fc
  .oneof(
    listed(4).map((one) => [one]),
    listed(6).map((one) => [one]),
    fc.tuple(listed(4), listed(6)),
    fc.tuple(listed(6), listed(4)),
  )
  .map((ranges) => ({ ranges }));

/** The same network in another spelling that Go's net.ParseCIDR takes. */
export function respelled(text: string): fc.Arbitrary<string> {
  const [ip = "", prefix = ""] = text.split("/");
  if (!ip.includes(":")) return fc.constant(text);
  const address = new Address6(ip);
  const full = address.canonicalForm();
  const dotted = `${full.split(":").slice(0, 6).join(":")}:${address.to4().correctForm()}`;
  return fc
    .constantFrom(ip, ip.toUpperCase(), full, full.toUpperCase(), dotted)
    .map((spelling) => `${spelling}/${prefix}`);
}
