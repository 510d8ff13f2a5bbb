import { expect, it } from "vitest";
import { formatAge } from "../../src/terminal/age.ts";

it.each([
  [-1, "0s"],
  [0, "0s"],
  [59, "59s"],
  [119, "119s"],
  [120, "2m"],
  [7_200, "2h"],
  [12 * 86_400 + 5, "12d"],
])("%d seconds are %s", (seconds, shown) => {
  expect(formatAge(seconds * 1000)).toBe(shown);
});
