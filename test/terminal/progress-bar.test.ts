import { describe, expect, it } from "vitest";
import { formatBar } from "../../src/terminal/progress-bar.ts";

describe("formatBar", () => {
  it.each([
    [0, 100, 0, 80, `[${".".repeat(40)}]   0%  0/100  0/s`],
    [50, 100, 1000, 80, `[${"#".repeat(20)}${".".repeat(20)}]  50%  50/100  50/s  1 s left`],
    [100, 100, 2000, 80, `[${"#".repeat(40)}] 100%  100/100  50/s  0 s left`],
    [0, 0, 0, 80, `[${"#".repeat(40)}] 100%  0/0  0/s`],
    [50, 100, 1000, 40, "[####....]  50%  50/100  50/s  1 s left"],
    [50, 100, 1000, 20, "50%  50/100  50/s  "],
  ])("%i of %i after %i ms in %i columns", (done, all, elapsed, width, bar) => {
    expect(formatBar(done, all, elapsed, width)).toBe(bar);
    expect(bar.length).toBeLessThan(width);
  });
});
