import { describe, expect, it } from "vitest";
import { closest, isAtLeast, isVersion, newest, versions } from "../../src/cni/versions.ts";

describe("versions", () => {
  it("are those of the specification from 0.1.0 to 1.1.0", () => {
    expect(versions).toEqual(["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"]);
    expect(newest).toBe(versions.at(-1));
  });

  it.each(["", "1", "1.0", "1.2.0", "v1.0.0", "1.0.0 ", 1, null, undefined, ["1.0.0"]])(
    "%j is none of them",
    (text) => {
      expect(isVersion(text)).toBe(false);
    },
  );

  it("are in order", () => {
    for (const [i, a] of versions.entries())
      for (const [j, b] of versions.entries()) expect(isAtLeast(a, b)).toBe(i >= j);
  });
});

describe("closest", () => {
  it.each([
    ["1.1.0", ["0.3.0", "0.4.0", "1.0.0"], "1.0.0"],
    ["1.1.0", ["1.0.0", "1.1.0", "1.2.0"], "1.1.0"],
    ["0.4.0", ["0.3.1", "1.0.0"], "0.3.1"],
    ["0.1.0", ["0.3.1", "1.0.0"], "0.3.1"],
    ["1.0.0", ["1.1.0"], "1.1.0"],
    ["1.0.0", ["9.9.9"], undefined],
    ["1.0.0", [], undefined],
    ["1.0.0", [null, 1, { a: 1 }, "0.2.0"], "0.2.0"],
  ] as const)("to %s of %j is %j", (asked, theirs, found) => {
    expect(closest(asked, theirs)).toBe(found);
  });
});
