import { describe, expect, it } from "vitest";
import { paintFor } from "../../src/terminal/paint.ts";
import { formatTable } from "../../src/terminal/table.ts";

describe("a table", () => {
  it("has columns three blanks apart, and no blanks at the ends of lines", () => {
    const text = formatTable(
      ["ADDRESS", "POD"],
      [
        ["10.1.2.3", "web"],
        ["10.1.2.40", ""],
      ],
    );
    expect(text).toBe("ADDRESS     POD\n10.1.2.3    web\n10.1.2.40");
  });

  it("keeps its columns where cells are painted", () => {
    const { red } = paintFor(true, {});
    const text = formatTable(["A", "B"], [[{ text: "x", paint: red }, "y"]]);
    expect(text).toBe("A   B\n\u001b[31mx\u001b[39m   y");
  });
});

describe("colour", () => {
  it.each([
    ["on a terminal", true, {}, "\u001b[31mx\u001b[39m"],
    ["not in a pipe", false, {}, "x"],
    ["not with $NO_COLOR", true, { NO_COLOR: "1" }, "x"],
    ["not on a dumb terminal", true, { TERM: "dumb" }, "x"],
  ])("%s", (_, isTerminal, env, shown) => {
    expect(paintFor(isTerminal, env).red("x")).toBe(shown);
  });
});
