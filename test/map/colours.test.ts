import { describe, expect, it } from "vitest";
import { steps, surface } from "../../src/map/colours.ts";

/** WCAG 2.2, relative luminance. */
function luminance(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

describe.each(["light", "dark"] as const)("colours, %s", (side) => {
  // WCAG 2.2, 1.4.3: text that small needs 4.5 to 1.
  it.each(steps.map(({ tile, text }, step) => ({ step, tile: tile[side], text: text[side] })))(
    "what is written on step $step can be read",
    ({ tile, text }) => expect(contrast(tile, text)).toBeGreaterThan(4.5),
  );

  it.each(["text", "quiet", "accent", "trouble"] as const)("%s can be read on the ground", (name) => {
    expect(contrast(surface[name][side], surface.ground[side])).toBeGreaterThan(4.5);
  });

  it("tell use by lightness alone, step by step, so that everybody sees it", () => {
    const blues = steps.slice(0, -1).map(({ tile }) => luminance(tile[side]));
    const sorted = blues.toSorted((a, b) => (side === "light" ? b - a : a - b));
    expect(blues).toEqual(sorted);
  });
});
