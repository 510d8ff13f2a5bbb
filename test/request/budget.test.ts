import { describe, expect, it } from "vitest";
import { longestTimeout, shortestTimeout } from "../../src/api/plugin-config.ts";
import { defaultTimeout, longestCall, openBudget } from "../../src/request/budget.ts";

const timeouts = [shortestTimeout, 3, 5, 5.6, 6, 10, defaultTimeout, 60, longestTimeout];

describe("openBudget", () => {
  it("is the original's 15 seconds where nothing is said", () => {
    expect(openBudget(undefined, 0)).toEqual(openBudget(15, 0));
    expect(openBudget(undefined, 0).timeout).toBe(15);
  });

  it("begins when the call began", () => {
    const [early, late] = [openBudget(15, 0), openBudget(15, 1000)];
    expect(late.time).toEqual({ deadline: early.time.deadline + 1000, end: early.time.end + 1000 });
    expect(late.patience).toEqual(early.patience);
  });

  it.each(timeouts)("of %d s is not overrun, even by a delegate that has to be killed", (timeout) => {
    const { time } = openBudget(timeout, 0);
    expect(time.end).toBeLessThanOrEqual(timeout * 1000);
    expect(time.end - time.deadline).toBeGreaterThanOrEqual(500);
  });

  it.each(timeouts)(
    "of %d s has time for the delegate after the longest wait for the API server",
    (timeout) => {
      const { time, patience } = openBudget(timeout, 0);
      expect(patience.long * 1000).toBeLessThanOrEqual(time.deadline - 250);
      expect(patience.short).toBeLessThanOrEqual(patience.long / 2);
    },
  );

  it.each(timeouts)("of %d s gives the API server a share worth asking for", (timeout) => {
    expect(openBudget(timeout, 0).patience.long).toBeGreaterThanOrEqual(timeout / 3);
  });

  it("is over before a claim counts as dead", () => {
    expect(openBudget(longestTimeout, 0).time.end).toBeLessThan(longestCall * 1000);
  });
});
