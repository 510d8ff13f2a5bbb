import fc from "fast-check";
import { Address4, Address6 } from "ip-address";
import { describe, expect, it } from "vitest";
import {
  type Cidr,
  contains,
  firstOf,
  formatCidr,
  hasHostBits,
  lastOf,
  network,
  parseCidr,
  sizeOf,
} from "../../src/address/cidr.ts";
import { bitsOf, isV4Mapped, parseIp } from "../../src/address/ip.ts";

const v4 = fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 })).map(([ip, prefix]) => `${ip}/${prefix}`);
const v6 = fc.tuple(fc.ipV6(), fc.integer({ min: 0, max: 128 })).map(([ip, prefix]) => `${ip}/${prefix}`);
const any = fc.oneof(v4, v6);

describe("parseCidr", () => {
  it.each([
    ["10.1.2.0/24", 4, 24],
    ["0.0.0.0/0", 4, 0],
    ["10.1.2.3/32", 4, 32],
    ["fd00::/64", 6, 64],
    ["::/0", 6, 0],
    ["::1/128", 6, 128],
    ["4000::16.0.0.0/120", 6, 120],
    ["FD00:0:0::/48", 6, 48],
  ])("reads %s", (text, family, prefix) => {
    const cidr = expectCidr(text);
    expect([cidr.ip.family, cidr.prefix]).toEqual([family, prefix]);
  });

  it.each([
    "",
    "/",
    "/24",
    "10.1.2.0",
    "10.1.2.0/",
    "10.1.2.0/33",
    "fd00::/129",
    "10.1.2.0/-1",
    "10.1.2.0/+24",
    "10.1.2.0/2 4",
    "10.1.2.0/24 ",
    " 10.1.2.0/24",
    "10.1.2.0/24/24",
    "10.1.2.0/255.255.255.0",
    "10.1.2/24",
    "fe80::1%eth0/64",
    "10.1.2.0/1e1",
    "10.1.2.0/٢٤",
  ])("refuses %j", (text) => {
    expect(parseCidr(text)).toBeUndefined();
  });

  it("never throws", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => void parseCidr(text)));
  });
});

describe("a network's arithmetic agrees with ip-address", () => {
  it("on first and last address", () => {
    fc.assert(
      fc.property(any, (text) => {
        const cidr = expectCidr(text);
        const oracle = oracleOf(text);
        expect(firstOf(cidr).value).toBe(oracle.startAddress().bigInt());
        expect(lastOf(cidr).value).toBe(oracle.endAddress().bigInt());
      }),
    );
  });

  it("on what is inside", () => {
    const near = fc.bigInt({ min: -3n, max: 3n });
    fc.assert(
      fc.property(any, near, fc.boolean(), (text, offset, atEnd) => {
        const cidr = expectCidr(text);
        const value = (atEnd ? lastOf(cidr) : firstOf(cidr)).value + offset;
        if (value < 0n || value >> BigInt(bitsOf(cidr.ip.family)) !== 0n) return;
        const inside = cidr.ip.family === 4 ? Address4.fromBigInt(value) : Address6.fromBigInt(value);
        expect(contains(cidr, { family: cidr.ip.family, value })).toBe(
          inside.isInSubnet(oracleOf(text) as never),
        );
      }),
    );
  });

  it("on size and host bits", () => {
    fc.assert(
      fc.property(any, (text) => {
        const cidr = expectCidr(text);
        const oracle = oracleOf(text);
        expect(sizeOf(cidr)).toBe(oracle.endAddress().bigInt() - oracle.startAddress().bigInt() + 1n);
        expect(hasHostBits(cidr)).toBe(oracle.bigInt() !== oracle.startAddress().bigInt());
      }),
    );
  });
});

describe("formatCidr", () => {
  it("prints what was parsed", () => {
    fc.assert(
      fc.property(any, (text) => {
        const cidr = expectCidr(text);
        expect(parseCidr(formatCidr(cidr))).toEqual(cidr);
      }),
    );
  });

  it("prints the canonical spelling", () => {
    fc.assert(
      fc.property(v6, (text) => {
        const cidr = expectCidr(text);
        const oracle = new Address6(text);
        if (!isV4Mapped(cidr.ip))
          expect(formatCidr(cidr)).toBe(`${oracle.correctForm()}/${oracle.subnetMask}`);
      }),
    );
    expect(formatCidr(expectCidr("FD00:0:0:0:0:0:0:0/64"))).toBe("fd00::/64");
  });
});

describe("network", () => {
  it("takes the host bits away, once", () => {
    expect(formatCidr(network(expectCidr("10.1.2.3/24")))).toBe("10.1.2.0/24");
    fc.assert(
      fc.property(any, (text) => {
        const cidr = network(expectCidr(text));
        expect(hasHostBits(cidr)).toBe(false);
        expect(network(cidr)).toEqual(cidr);
      }),
    );
  });
});

describe("contains", () => {
  it("keeps the families apart", () => {
    expect(contains(expectCidr("0.0.0.0/0"), expectIp("::1"))).toBe(false);
    expect(contains(expectCidr("::/0"), expectIp("10.0.0.1"))).toBe(false);
  });
});

function expectCidr(text: string): Cidr {
  const cidr = parseCidr(text);
  if (!cidr) throw new Error(`not parsed: ${text}`);
  return cidr;
}

function expectIp(text: string) {
  const ip = parseIp(text);
  if (!ip) throw new Error(`not parsed: ${text}`);
  return ip;
}

function oracleOf(text: string): Address4 | Address6 {
  return text.includes(":") ? new Address6(text) : new Address4(text);
}
