import { isIP } from "node:net";
import fc from "fast-check";
import { Address4, Address6 } from "ip-address";
import { describe, expect, it } from "vitest";
import { formatIp, isV4Mapped, parseIp } from "../../src/address/ip.ts";

const v4 = fc.ipV4();
const v6 = fc.ipV6();

describe("parseIp", () => {
  it.each([
    ["0.0.0.0", 0n],
    ["255.255.255.255", 0xffffffffn],
    ["::", 0n],
    ["::1", 1n],
    ["1::", 1n << 112n],
    ["4000::16.0.0.0", (0x4000n << 112n) | 0x10000000n],
    ["1:2:3:4:5:6:1.2.3.4", 0x00010002000300040005000601020304n],
    ["ABCD::EF", (0xabcdn << 112n) | 0xefn],
  ])("reads %s", (text, value) => {
    expect(parseIp(text)?.value).toBe(value);
  });

  it.each([
    "",
    " ",
    "1.2.3",
    "1.2.3.4.5",
    "01.2.3.4",
    "1.2.3.256",
    "1.2.3.-4",
    "1..2.3",
    "a.b.c.d",
    "0x1.2.3.4",
    ":",
    ":::",
    "1:2",
    "1::2::3",
    "12345::",
    "g::",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7::8",
    "::1.2.3",
    "1.2.3.4::",
    "::1.2.3.4:5",
    "fe80::1%eth0",
    "1:2:3:4:5:6:7:",
    ":1:2:3:4:5:6:7",
  ])("refuses %j", (text) => {
    expect(parseIp(text)).toBeUndefined();
  });

  it("agrees with ip-address on the value of every address", () => {
    fc.assert(fc.property(v4, (text) => void expect(parseIp(text)?.value).toBe(new Address4(text).bigInt())));
    fc.assert(fc.property(v6, (text) => void expect(parseIp(text)?.value).toBe(new Address6(text).bigInt())));
  });

  it("agrees with node:net on what is an address", () => {
    const nearly = fc.stringMatching(/^[0-9a-f:.]{0,20}$/);
    fc.assert(
      fc.property(nearly, (text) => void expect(parseIp(text)?.family ?? 0).toBe(isIP(text))),
      { numRuns: 5000 },
    );
  });
});

describe("formatIp", () => {
  it("prints what it parsed, in the shortest form", () => {
    fc.assert(
      fc.property(v6, (text) => {
        const ip = parseIp(text);
        if (!ip) throw new Error(`not parsed: ${text}`);
        expect(parseIp(formatIp(ip))).toEqual(ip);
        if (!isV4Mapped(ip)) expect(formatIp(ip)).toBe(new Address6(text).correctForm());
      }),
    );
    fc.assert(fc.property(v4, (text) => void expect(formatIp(parseIp(text) as never)).toBe(text)));
  });

  it("keeps a v4-mapped address in its dotted form", () => {
    expect(formatIp(parseIp("::ffff:1.2.3.4") as never)).toBe("::ffff:1.2.3.4");
  });
});
