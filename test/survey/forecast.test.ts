import { describe, expect, it } from "vitest";
import { forecastFull } from "../../src/survey/forecast.ts";
import { podAt } from "./parts.ts";

const now = Date.parse("2026-01-02T00:00:00Z");
const hour = 3_600_000;
/** Pods that came so many hours ago. */
const pods = (...hours: number[]) =>
  hours.map((ago, i) => podAt(`10.0.0.${i}`, "a", { since: new Date(now - ago * hour).toISOString() }));

describe("when a range will be full", () => {
  it("is told of steady growth: so many free, so many a day", () => {
    expect(forecastFull({ size: 9n, pods: pods(2, 10, 20) }, now)).toBe(now + 48 * hour);
  });

  it("takes the quietest third of the day", () => {
    expect(forecastFull({ size: 13n, pods: pods(1, 2, 3, 4, 5, 10, 20) }, now)).toBe(now + 48 * hour);
  });

  it.each([
    ["a rollout: all came at once", pods(1, 1, 1, 1, 1)],
    ["old pods alone", pods(30, 50, 700)],
    ["nothing there", []],
    ["times in the future", pods(-1, -2, -3)],
    ["no times", [podAt("10.0.0.1", "a", { since: "" })]],
  ])("is not told of %s", (_, all) => expect(forecastFull({ size: 253n, pods: all }, now)).toBeUndefined());

  it("is now where it is", () => expect(forecastFull({ size: 3n, pods: pods(2, 10, 20) }, now)).toBe(now));
});
