import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { clip, countIn, gaps, isIn, mergeRuns, type Run, runFrom } from "../../src/address/runs.ts";

const most = 30;
const run = fc
  .tuple(fc.nat(most), fc.nat(8))
  .map(([first, more]): Run => ({ first: BigInt(first), last: BigInt(first + more) }));
const lists = fc.array(run, { maxLength: 6 });
const numbersOf = (runs: readonly Run[]) =>
  runs.flatMap(({ first, last }) =>
    Array.from({ length: Number(last - first) + 1 }, (_, i) => Number(first) + i),
  );

describe("runs of numbers", () => {
  it("merged hold the same numbers, once, in order, with something between them", () => {
    fc.assert(
      fc.property(lists, (runs) => {
        const merged = mergeRuns(runs);
        const expected = [...new Set(numbersOf(runs))].sort((a, b) => a - b);
        expect(numbersOf(merged)).toEqual(expected);
        expect(countIn(merged)).toBe(BigInt(expected.length));
        for (const [i, { first }] of merged.entries())
          if (i > 0) expect(first).toBeGreaterThan((merged[i - 1] as Run).last + 1n);
      }),
    );
  });

  it("are found, clipped and subtracted as their numbers are", () => {
    fc.assert(
      fc.property(lists, run, fc.nat(40), (runs, whole, value) => {
        const merged = mergeRuns(runs);
        const all = new Set(numbersOf(runs));
        expect(isIn(merged, BigInt(value))).toBe(all.has(value));
        expect(runFrom(merged, BigInt(value))).toBe(merged.find(({ last }) => last >= value));
        expect(numbersOf(clip(merged, whole))).toEqual(numbersOf([whole]).filter((one) => all.has(one)));
        expect(numbersOf(gaps(whole, merged))).toEqual(numbersOf([whole]).filter((one) => !all.has(one)));
      }),
    );
  });
});
