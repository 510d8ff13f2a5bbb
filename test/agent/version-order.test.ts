import { describe, expect, it } from "vitest";
import { isLater } from "../../src/agent/version-order.ts";

describe("versions", () => {
  it.each([
    ["1.0.0", "0.9.9"],
    ["0.10.0", "0.9.0"],
    ["0.1.10", "0.1.9"],
    ["1.0.0", "1.0.0-rc.1"],
    ["1.0.0-rc.10", "1.0.0-rc.9"],
    ["0.2.0-g0123456789ab", "0.1.0"],
    ["0.1.0-g0123456789ab", "0.1.0-rc.1"],
  ])("%s is later than %s, not the other way round", (one, other) => {
    expect([isLater(one, other), isLater(other, one)]).toEqual([true, false]);
  });

  it.each([
    ["0.1.0", "0.1.0"],
    ["0.1.0", "0.1.0-g0123456789ab-dirty"],
    ["0.1.0-gabc", "0.1.0-gdef"],
    ["(sources, not built)", "0.1.0"],
  ])("%s and %s: neither is later", (one, other) => {
    expect([isLater(one, other), isLater(other, one)]).toEqual([false, false]);
  });
});
