import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { firstOf, lastOf, parseCidr } from "../../src/address/cidr.ts";
import { formatIp, type Ip, parseIp } from "../../src/address/ip.ts";
import {
  countOf,
  familyOf,
  isInside,
  overlaps,
  type Range,
  type Span,
  spanOf,
} from "../../src/address/range.ts";

describe("spanOf", () => {
  it.each<[Range, string, string]>([
    [{ subnet: "10.1.2.0/24" }, "10.1.2.1", "10.1.2.254"],
    [{ subnet: "10.1.2.0/30" }, "10.1.2.1", "10.1.2.2"],
    [{ subnet: "fd00::/64" }, "fd00::1", "fd00::ffff:ffff:ffff:ffff"],
    [{ subnet: "fd00::/126" }, "fd00::1", "fd00::3"],
    [{ subnet: "10.1.2.0/24", rangeStart: "10.1.2.10" }, "10.1.2.10", "10.1.2.254"],
    [{ subnet: "10.1.2.0/24", rangeEnd: "10.1.2.99" }, "10.1.2.1", "10.1.2.99"],
    [{ subnet: "10.1.2.0/24", rangeStart: "10.1.2.7", rangeEnd: "10.1.2.7" }, "10.1.2.7", "10.1.2.7"],
    [{ subnet: "10.1.2.0/24", gateway: "10.1.2.254" }, "10.1.2.1", "10.1.2.254"],
  ])("of %j is %s to %s", (range, first, last) => {
    const span = spanOf(range);
    expect([span.first, span.last].map(formatIp)).toEqual([first, last]);
  });

  it("refuses what is no subnet", () => {
    expect(() => spanOf({ subnet: "10.1.2.0" })).toThrow("not a subnet: 10.1.2.0");
  });

  it("lies in its subnet", () => {
    const v4 = fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 30 }));
    const v6 = fc.tuple(fc.ipV6(), fc.integer({ min: 0, max: 126 }));
    fc.assert(
      fc.property(fc.oneof(v4, v6), ([ip, prefix]) => {
        const cidr = parseCidr(`${ip}/${prefix}`);
        if (!cidr) throw new Error(`not parsed: ${ip}`);
        const { first, last } = spanOf({ subnet: `${ip}/${prefix}` });
        expect(first.value).toBe(firstOf(cidr).value + 1n);
        expect(last.value).toBe(lastOf(cidr).value - (cidr.ip.family === 4 ? 1n : 0n));
      }),
    );
  });
});

describe("spans against sets of addresses", () => {
  const small = fc.tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 12 }));

  it("overlap where they share an address, whichever comes first", () => {
    fc.assert(
      fc.property(small, small, ([a, b], [c, d]) => {
        const [one, two] = [span(Math.min(a, b), Math.max(a, b)), span(Math.min(c, d), Math.max(c, d))];
        const shared = [...members(one)].some((value) => members(two).has(value));
        expect([overlaps(one, two), overlaps(two, one)]).toEqual([shared, shared]);
      }),
    );
  });

  it("count their members, none where they are the wrong way round", () => {
    fc.assert(
      fc.property(small, ([a, b]) => void expect(countOf(span(a, b))).toBe(BigInt(members(span(a, b)).size))),
    );
  });

  it("hold their members", () => {
    fc.assert(
      fc.property(small, fc.integer({ min: 0, max: 12 }), ([a, b], value) => {
        expect(isInside(span(a, b), address(value))).toBe(members(span(a, b)).has(BigInt(value)));
      }),
    );
  });

  it("never meet those of the other family", () => {
    const other = { first: { family: 6, value: 0n }, last: { family: 6, value: 99n } } as const;
    expect(overlaps(span(0, 12), other)).toBe(false);
    expect(isInside(other, address(3))).toBe(false);
  });
});

describe("familyOf", () => {
  it.each([
    ["10.0.0.0/8", 4],
    ["fd00::/64", 6],
    ["4000::16.0.0.0/120", 6],
  ] as const)("of %s is %d", (subnet, family) => {
    expect(familyOf({ subnet })).toBe(family);
    expect(parseIp(subnet.split("/")[0] as string)?.family).toBe(family);
  });
});

function address(value: number): Ip {
  return { family: 4, value: BigInt(value) };
}

function span(first: number, last: number): Span {
  return { first: address(first), last: address(last) };
}

function members({ first, last }: Span): Set<bigint> {
  const found = new Set<bigint>();
  for (let value = first.value; value <= last.value; value++) found.add(value);
  return found;
}
