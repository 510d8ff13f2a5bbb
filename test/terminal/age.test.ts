import { expect, it } from "vitest";
import { formatAge } from "../../src/terminal/age.ts";

it.each([
  [0, "0s"],
  [-5000, "0s"],
  [90_000, "90s"],
  [121_000, "2m"],
  [119 * 60_000, "119m"],
  [2 * 3_600_000, "2h"],
  [47 * 3_600_000, "47h"],
  [48 * 3_600_000, "2d"],
])("%i ms are %s", (milliseconds, text) => expect(formatAge(milliseconds)).toBe(text));
