import { describe, expect, it } from "vitest";
import { parseIp } from "../../src/address/ip.ts";
import type { Range } from "../../src/address/range.ts";
import { byBlock, useOf } from "../../src/lease/range-use.ts";

const part = (rangeStart: string, rangeEnd: string, block?: string): Range => ({
  ...{ subnet: "10.1.0.0/24", rangeStart, rangeEnd, gateway: "10.1.0.0" },
  ...(block && { pool: { block, prefix: 24 } }),
});

describe("what is left", () => {
  it("of a block is of all its ranges together; of other ranges, of each", () => {
    const ranges = [
      part("10.1.0.1", "10.1.0.2", "ippool.a.0"),
      part("10.1.0.20", "10.1.0.29", "ippool.a.1"),
      part("10.1.0.5", "10.1.0.9", "ippool.a.0"),
      part("10.1.0.40", "10.1.0.41"),
      part("10.1.0.50", "10.1.0.51"),
    ];
    const taken = ["10.1.0.1", "10.1.0.2", "10.1.0.5", "10.1.0.40"].flatMap((text) => parseIp(text) ?? []);
    const all = byBlock(ranges.map((range) => useOf(range, taken)));
    expect(all.map(({ range, ...counts }) => [range.rangeStart, range.rangeEnd, counts])).toEqual([
      ["10.1.0.1", "10.1.0.9", { size: 7n, used: 3n, free: 4n }],
      ["10.1.0.20", "10.1.0.29", { size: 10n, used: 0n, free: 10n }],
      ["10.1.0.40", "10.1.0.41", { size: 2n, used: 1n, free: 1n }],
      ["10.1.0.50", "10.1.0.51", { size: 2n, used: 0n, free: 2n }],
    ]);
  });
});
