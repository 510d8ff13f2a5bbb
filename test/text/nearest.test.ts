import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { didYouMean, nearest } from "../../src/text/nearest.ts";

const known = ["subnet", "rangeStart", "rangeEnd", "gateway"];

describe("nearest", () => {
  it.each([
    ["subnet", "subnet"],
    ["SUBNET", "subnet"],
    ["sbnet", "subnet"],
    ["subnett", "subnet"],
    ["sunbet", "subnet"],
    ["rangestart", "rangeStart"],
    ["rangeEn", "rangeEnd"],
    ["gatway", "gateway"],
    ["gatewayy", "gateway"],
  ])("of %j is %j", (word, meant) => {
    expect(nearest(word, known)).toBe(meant);
  });

  it.each(["", "x", "net", "range", "ranges!", "gw", "mask", "prototype"])("of %j is none", (word) => {
    expect(nearest(word, known)).toBeUndefined();
  });

  it("asks for more likeness of short words", () => {
    expect(nearest("tip", ["ip"])).toBeUndefined();
    expect(nearest("dsr", ["dst"])).toBe("dst");
    expect(nearest("dxy", ["dst"])).toBeUndefined();
  });

  it("takes three typing errors for another word", () => {
    expect(nearest("ipv4-nomespecas", ["ipv4-namespaces"])).toBeUndefined();
    expect(nearest("ipv4-nomespeces", ["ipv4-namespaces"])).toBe("ipv4-namespaces");
  });

  it("takes the nearer of two, and the first of equals", () => {
    expect(nearest("rangeStar", ["rangeStir", "rangeStart"])).toBe("rangeStir");
    expect(nearest("routess", ["ranges", "routes"])).toBe("routes");
  });

  it("knows no word where there is none", () => {
    expect(nearest("subnet", [])).toBeUndefined();
  });

  it("finds a long word again after any one typing error", () => {
    const letter = fc.constantFrom(..."abcdefghijklmnopqrstuvwxyz");
    fc.assert(
      fc.property(fc.constantFrom(...known), fc.nat(), letter, fc.nat(2), (word, place, typed, kind) => {
        const at = place % word.length;
        const typo = [
          word.slice(0, at) + word.slice(at + 1),
          word.slice(0, at) + typed + word.slice(at),
          word.slice(0, at) + typed + word.slice(at + 1),
        ][kind] as string;
        expect(nearest(typo, known)).toBe(word);
      }),
    );
  });
});

describe("didYouMean", () => {
  it("asks, or says nothing", () => {
    expect(didYouMean("subent", known)).toBe(' (did you mean "subnet"?)');
    expect(didYouMean("zzz", known)).toBe("");
  });
});
