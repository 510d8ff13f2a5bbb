import { describe, expect, it } from "vitest";
import { median, pairedRatio, quantile, spread } from "../../bench/statistics.ts";

describe("statistics", () => {
  it("finds quantiles in any order of numbers, between neighbours by proportion", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(quantile([10, 0], 0.95)).toBeCloseTo(9.5);
    expect(quantile([7], 0.25)).toBe(7);
    expect(median([])).toBeNaN();
  });

  it("tells how far the middle half lies apart", () => {
    expect(spread([1, 2, 3, 4, 5])).toBeCloseTo(2 / 3);
    expect(spread([2, 2, 2])).toBe(0);
  });

  it("compares number by number, so that what slows both doesn't count", () => {
    expect(pairedRatio([2, 20, 200], [1, 10, 100])).toBe(2);
    expect(pairedRatio([3, 9], [1, 3, 100])).toBe(3);
  });
});
