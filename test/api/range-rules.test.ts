import { describe, expect, it } from "vitest";
import { rangeSetsFault, subnetFault } from "../../src/api/range-rules.ts";
import { type HostLocal, hostLocals, whatLacks } from "../parts/tools.ts";
import { askHostLocal } from "./host-local.ts";

const some = { subnet: "10.1.2.0/24" };

describe("subnetFault", () => {
  it.each([
    "10.1.2.0/24",
    "0.0.0.0/0",
    "10.1.2.4/30",
    "fd00::/64",
    "fd00::4/126",
    "4000::16.0.0.0/120",
    "::/8",
  ])("finds none in %s", (text) => {
    expect(subnetFault(text)).toBeUndefined();
  });

  it.each([
    ["", /^"" is no CIDR: expected an address, "\/" and a prefix length/],
    [" 10.1.2.0/24", /is no CIDR/],
    ["10.1.2.0/24,", /is no CIDR/],
    ["10.1.2.1/24", /has host bits set: write 10\.1\.2\.0\/24$/],
    ["FD00::1/64", /has host bits set: write fd00::\/64$/],
    ["10.1.2.0/31", /too small.*expected \/30 or shorter$/],
    ["fd00::/127", /too small.*expected \/126 or shorter$/],
    ["::ffff:10.1.2.0/120", /IPv4 network written as IPv6: write it as IPv4$/],
    ["::ffff:0:0/96", /IPv4 network written as IPv6/],
    ["x".repeat(1000), /^"x{60}…" is no CIDR/],
  ])("of %j", (text, words) => {
    expect(subnetFault(text)).toMatch(words);
  });
});

describe("rangeSetsFault names the place", () => {
  it.each<[unknown, string, RegExp]>([
    [undefined, "ranges", /found nothing/],
    [{}, "ranges", /found an object/],
    ["10.1.2.0/24", "ranges", /found a string/],
    [[], "ranges", /at least one range set/],
    [[[some], []], "ranges[1]", /at least one range in the set/],
    [[[some], some], "ranges[1]", /an array of ranges, found an object/],
    [[[some, null]], "ranges[0][1]", /found null/],
    [[[{ gateway: "10.1.2.1" }]], "ranges[0][0]", /without subnet/],
    [[[{ ...some, rangeend: "10.1.2.9" }]], "ranges[0][0].rangeend", /did you mean "rangeEnd"/],
    [[[{ ...some, gateway: null }]], "ranges[0][0].gateway", /expected a string, found null/],
    [[[{ ...some, gateway: "10.1.2.1/24" }]], "ranges[0][0].gateway", /is no IP address/],
    [[[some], [{ ...some, rangeStart: "10.1.3.1" }]], "ranges[1][0].rangeStart", /outside of 10.1.2.0\/24/],
    [[[some, { subnet: "fd00::/64" }]], "ranges[0][1].subnet", /IPv4 and IPv6 in one range set/],
    [[[some], [{ subnet: "10.0.0.0/8" }]], "ranges[1][0]", /10.0.0.0\/8 overlaps with 10.1.2.0\/24/],
    [[[some, some]], "ranges[0][1]", /overlaps with 10.1.2.0\/24 of ranges\[0\]\[0\]/],
  ])("%j: %s", (value, path, words) => {
    const fault = rangeSetsFault(value, "ranges");
    expect(fault).toMatchObject({ path });
    expect(fault?.words).toMatch(words);
  });

  it("or finds none", () => {
    const sets = [
      [some, { subnet: "10.1.3.0/24", rangeStart: "10.1.3.9", rangeEnd: "10.1.3.9", gateway: "10.1.3.1" }],
      [{ subnet: "fd00::/64" }],
      [{ subnet: "fd00:0:0:1::/64", rangeEnd: "fd00:0:0:1::ff" }],
    ];
    expect(rangeSetsFault(sets, "ranges")).toBeUndefined();
  });
});

const found: HostLocal[] = hostLocals();
const lack = whatLacks(found.length > 0 ? {} : { missing: "host-local" });

describe.skipIf(lack.some)(`what is refused here, host-local refuses as well${lack.words}`, () => {
  const refused: [string, object[][]][] = [
    ["host bits", [[{ subnet: "10.1.2.1/24" }]]],
    ["/31", [[{ subnet: "10.1.2.0/31" }]]],
    ["/32", [[{ subnet: "10.1.2.0/32" }]]],
    ["/127", [[{ subnet: "fd00::/127" }]]],
    ["v4-mapped", [[{ subnet: "::ffff:10.1.2.0/120" }]]],
    ["an empty set", [[]]],
    ["two families in a set", [[some, { subnet: "fd00::/64" }]]],
    ["an overlap", [[some], [{ subnet: "10.1.2.128/25" }]]],
    ["rangeStart outside", [[{ ...some, rangeStart: "10.1.3.9" }]]],
    ["rangeEnd outside", [[{ ...some, rangeEnd: "10.1.3.9" }]]],
    ["rangeEnd before rangeStart", [[{ ...some, rangeStart: "10.1.2.9", rangeEnd: "10.1.2.8" }]]],
  ];
  const taken: [string, object[][]][] = [
    ["/30", [[{ subnet: "10.1.2.0/30" }]]],
    ["/126", [[{ subnet: "fd00::/126" }]]],
    ["a dotted quad in IPv6", [[{ subnet: "4000::16.0.0.0/120" }]]],
    ["zeros before the prefix length", [[{ subnet: "10.1.2.0/024" }]]],
    ["one address", [[{ ...some, rangeStart: "10.1.2.9", rangeEnd: "10.1.2.9" }]]],
    ["neighbours", [[{ ...some, rangeEnd: "10.1.2.9" }], [{ ...some, rangeStart: "10.1.2.10" }]]],
  ];
  for (const { label, folder } of found) {
    it.each(refused)(`${label}: %s`, async (_, ranges) => {
      expect(rangeSetsFault(ranges, "ranges")).toBeDefined();
      expect((await askHostLocal(folder, ranges)).exitCode).not.toBe(0);
    });

    it.each(taken)(`${label} takes, and so do we: %s`, async (_, ranges) => {
      expect(rangeSetsFault(ranges, "ranges")).toBeUndefined();
      expect(await askHostLocal(folder, ranges)).toMatchObject({ exitCode: 0 });
    });
  }
});
