import { expect, it } from "vitest";
import { cutLine } from "../../src/terminal/cut-line.ts";
import { paintFor } from "../../src/terminal/paint.ts";

const { dim, red } = paintFor(true, {});

it.each([
  ["", 3, ""],
  ["abc", 3, "abc"],
  ["abcd", 3, "ab…"],
  ["abcdef", 1, "…"],
  ["𝒶𝒷𝒸", 3, "𝒶𝒷𝒸"],
  ["𝒶𝒷𝒸𝒹", 3, "𝒶𝒷…"],
  [dim("abc"), 3, dim("abc")],
  [dim("abcd"), 3, dim("ab…")],
  [`a${red("bcde")}f`, 3, `a${red("b…")}`],
  [`ab${red("c")}d`, 3, `ab${red("…")}`],
  [`abc${red("d")}`, 3, `ab…${red("")}`],
])("%j in %i columns is %j", (line, width, cut) => {
  expect(cutLine(line, width)).toBe(cut);
});
