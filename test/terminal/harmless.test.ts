import fc from "fast-check";
import { expect, it } from "vitest";
import { harmless } from "../../src/terminal/harmless.ts";
import { paintFor } from "../../src/terminal/paint.ts";

it("lets lines, tabs and our colours pass", () => {
  const paint = paintFor(true, {});
  const text = `a\tü 漢\n${Object.values(paint)
    .map((one) => one("x"))
    .join(" ")}`;
  expect(harmless(text)).toBe(text);
});

it.each([
  ["\u001b[2J", "\\u001b[2J"],
  ["\u001b[8m", "\\u001b[8m"],
  ["\u001b]0;title\u0007", "\\u001b]0;title\\u0007"],
  ["\u009b31m", "\\u009b31m"],
  ["a\rb\b", "a\\u000db\\u0008"],
])("%j is shown as %s", (text, shown) => {
  expect(harmless(text)).toBe(shown);
});

it("leaves JSON what it says", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const shown = harmless(JSON.stringify({ text }, null, 2));
      expect(JSON.parse(shown)).toEqual({ text });
      expect(shown).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
    }),
  );
});
