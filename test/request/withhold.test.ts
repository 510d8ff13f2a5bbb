// Addresses that nobody is to get are cut out of ranges, and nothing else is.
import fc from "fast-check";
import { expect, it } from "vitest";
import { formatIp } from "../../src/address/ip.ts";
import { isInside, type RangeSet, spanOf } from "../../src/address/range.ts";
import { withhold } from "../../src/request/withhold.ts";

const at = (last: number) => `10.1.0.${last}`;
const range = { subnet: "10.1.0.0/24", rangeStart: at(10), rangeEnd: at(20), gateway: at(1) };

function addressesOf(ipam: Record<string, unknown>): string[] {
  const set = (ipam["ranges"] as RangeSet[])[0] ?? [];
  return Array.from({ length: 256 }, (_, last) => ({ family: 4 as const, value: 0x0a010000n + BigInt(last) }))
    .filter((ip) => set.some((one) => isInside(spanOf(one), ip)))
    .map(formatIp);
}

it("leaves all but those", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 40 })), (lasts) => {
      const left = addressesOf(withhold({ ranges: [[range]] }, lasts.map(at)));
      const all = addressesOf({ ranges: [[range]] });
      expect(left).toEqual(all.filter((address) => !lasts.map(at).includes(address)));
    }),
  );
});

it("changes nothing where there are none, and passes texts over that are no addresses", () => {
  const ipam = { ranges: [[range]], routes: [] };
  expect(withhold(ipam, [])).toBe(ipam);
  expect(withhold(ipam, ["nowhere"])).toBe(ipam);
  expect(withhold(ipam, ["fd00::1"])).toEqual(ipam);
});
