import { expect, it } from "vitest";
import { formatCount } from "../../src/terminal/count.ts";

it.each([
  [0, "0"],
  [253n, "253"],
  [999_999_999, "999999999"],
  [2n ** 64n - 2n, "2^64"],
  [2n ** 32n - 2n, "2^32"],
  [2 ** 96, "2^96"],
])("%s is shown as %s", (count, shown) => {
  expect(formatCount(count)).toBe(shown);
});
