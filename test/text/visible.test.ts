import { describe, expect, it } from "vitest";
import { visible } from "../../src/text/visible.ts";

describe("visible", () => {
  it.each([
    ["plain, \u00e4 and \u65e5", "plain, \u00e4 and \u65e5"],
    ["\u001b[2J", "\\x1b[2J"],
    ["a\r\nb\tc", "a\\x0d\\x0ab\\x09c"],
    ["\u009b1m\u007f\0", "\\x9b1m\\x7f\\x00"],
  ])("%j is shown as %j", (text, shown) => {
    expect(visible(text)).toBe(shown);
  });
});
