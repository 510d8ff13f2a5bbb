import { expect, it } from "vitest";
import { formatAge } from "../../src/terminal/age.ts";

it.each([
  [-1, "0s"],
  [0, "0s"],
  [59.9, "59s"],
  [60, "1m"],
  [200, "3m20s"],
  [600, "10m"],
  [3_600, "1h"],
  [9_000, "2h30m"],
  [86_399, "23h"],
  [90_000, "1d1h"],
  [12 * 86_400 + 5, "12d"],
])("%d seconds are %s", (seconds, shown) => {
  expect(formatAge(seconds)).toBe(shown);
});
