import { describe, expect, it } from "vitest";
import { parseTerms, settleTerms, type WrittenTerms, writeTerms } from "../../src/split/terms.ts";

const plain: WrittenTerms = { cidr: "172.20.0.0/16,fd00:2::/48", perNode: "/24,/64" };

describe("the terms of a split", () => {
  it.each<WrittenTerms>([
    { cidr: "172.20.0.0/16", perNode: "/24" },
    plain,
    { ...plain, exclude: "172.20.0.0/20,172.20.200.7-172.20.201.9,fd00:2::/60", reserveFirst: "10" },
    { cidr: "10.0.0.0/30", perNode: "/30", reserveFirst: "1" },
    { cidr: "::/0", perNode: "/126" },
  ])("%j are read, and written again as they were", (written) => {
    expect(writeTerms(parseTerms(written))).toEqual({ exclude: "", reserveFirst: "0", ...written });
  });

  it.each<[WrittenTerms, string]>([
    [{}, "there is no plan for this annotation yet: --cidr and --per-node are needed"],
    [
      { ...plain, cidr: "172.20.0.0/16" },
      "expected one prefix length for each network of --cidr (1), found 2",
    ],
    [{ cidr: "172.20.0.0/16,10.0.0.0/8", perNode: "24,24" }, "two networks of one family"],
    [{ cidr: "a,b,c", perNode: "1,2,3" }, "--cidr: expected one network a family, found 3 networks"],
    [{ cidr: "172.20.1.0/16", perNode: "24" }, "172.20.1.0/16 has host bits set: write 172.20.0.0/16"],
    [{ cidr: "172.20.0.0", perNode: "24" }, '--cidr: "172.20.0.0" is no CIDR'],
    [
      { cidr: "172.20.0.0/16", perNode: "/8" },
      "expected a prefix length from /16 to /30, to cut 172.20.0.0/16",
    ],
    [{ cidr: "172.20.0.0/16", perNode: "/31" }, "expected a prefix length from /16 to /30"],
    [{ cidr: "172.20.0.0/16", perNode: "24.5" }, '--per-node: "24.5"'],
    [{ ...plain, exclude: "172.20.0.9-172.20.0.1" }, "--exclude: "],
    [{ ...plain, exclude: "172.20.0.9-fd00::1" }, "begins in one family and ends in the other"],
    [{ ...plain, exclude: "x" }, '"x" is no CIDR and no FIRST-LAST'],
    [{ ...plain, reserveFirst: "254" }, "expected a number from 0 to 253"],
    [{ ...plain, reserveFirst: "-1" }, '--reserve-first: "-1"'],
  ])("%j are refused: %s", (written, words) => {
    expect(() => parseTerms(written)).toThrow(words);
  });
});

describe("terms for an annotation that has a plan", () => {
  const committed = parseTerms({ ...plain, cidr: "172.20.0.0/17,fd00:2::/48", exclude: "172.20.0.0/24" });

  it("are the plan's where none are given", () => {
    expect(settleTerms({}, committed)).toEqual(committed);
  });

  it.each<[WrittenTerms, WrittenTerms]>([
    [{ cidr: "172.20.0.0/16,fd00:2::/48" }, { cidr: "172.20.0.0/16,fd00:2::/48" }],
    [
      { cidr: "fd00::/16,172.16.0.0/12", perNode: "/64,/24" },
      { cidr: "fd00::/16,172.16.0.0/12", perNode: "/64,/24" },
    ],
    [{ exclude: "172.20.9.0/24" }, { exclude: "172.20.9.0/24" }],
    [{ exclude: "" }, { exclude: "" }],
    [{ reserveFirst: "5" }, { reserveFirst: "5" }],
  ])("may be widened or excluded anew: %j", (given, changed) => {
    expect(writeTerms(settleTerms(given, committed))).toEqual({ ...writeTerms(committed), ...changed });
  });

  it("may get a family more", () => {
    const single = parseTerms({ cidr: "172.20.0.0/16", perNode: "24" });
    expect(settleTerms(plain, single).grids).toHaveLength(2);
  });

  it.each<WrittenTerms>([
    { perNode: "/25,/64" },
    { cidr: "172.20.0.0/18,fd00:2::/48" },
    { cidr: "10.0.0.0/8,fd00:2::/48" },
    { cidr: "172.20.0.0/17", perNode: "/24" },
  ])("are refused where blocks would move or fall outside: %j", (given) => {
    expect(() => settleTerms(given, committed)).toThrow(
      "was made with --cidr=172.20.0.0/17,fd00:2::/48 --per-node=/24,/64: give the same, a wider --cidr, or neither",
    );
  });
});
