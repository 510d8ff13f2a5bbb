import { array, assert, constantFrom, integer, property, record } from "fast-check";
import { describe, expect, it } from "vitest";
import { formatIp } from "../../src/address/ip.ts";
import { overlaps } from "../../src/address/range.ts";
import { describeConflict, findConflicts } from "../../src/survey/conflicts.ts";
import { podCIDRsKey } from "../../src/survey/node-ranges.ts";
import { type NodeRangeSet, rangeSetsOf } from "../../src/survey/range-set.ts";
import { surveyOf } from "./parts.ts";

const setsOf = (nodes: Record<string, Record<string, string>>) => surveyOf(nodes).ranges.flatMap(rangeSetsOf);
const words = (nodes: Record<string, Record<string, string>>, services: string[] = []) =>
  findConflicts(setsOf(nodes), services).map(describeConflict);

describe("conflicts", () => {
  it("are two nodes with one address under one key, a podCIDR of another node, or Services", () => {
    expect(words({ a: { k: "10.0.0.0/24" }, b: { k: "10.0.0.128/25" } })).toEqual([
      "10.0.0.128/25 (k of b) overlaps with 10.0.0.0/24 (k of a)",
    ]);
    expect(words({ a: { podCIDRs: "10.0.0.0/24" }, b: { k: "10.0.0.128/25" } })).toHaveLength(1);
    expect(words({ a: { k: "10.96.3.0/24,fd00::/64" } }, ["10.96.0.0/16", "fd00::/112"])).toEqual([
      "10.96.3.0/24 (k of a) overlaps with 10.96.0.0/16, which Services get their addresses of",
      "fd00::/64 (k of a) overlaps with fd00::/112, which Services get their addresses of",
    ]);
  });

  it("are not: networks of different keys, a node's own podCIDRs, ranges that only share a subnet", () => {
    expect(words({ a: { k: "10.0.0.0/24", l: "10.0.0.0/24" }, b: { m: "10.0.0.0/24" } })).toEqual([]);
    expect(words({ a: { k: "10.0.0.0/25", podCIDRs: "10.0.0.0/24" } })).toEqual([]);
    expect(words({ a: { k: "10.0.0.10-10.0.0.19/24" }, b: { k: "10.0.0.20-10.0.0.29/24" } })).toEqual([]);
  });

  it("are told of a new set alone where that is asked for", () => {
    const sets = setsOf({ a: { k: "10.0.0.0/24" }, b: { k: "10.0.0.0/24" }, c: { k: "10.0.0.0/24" } });
    expect(findConflicts(sets, [], 2).map(({ set }) => set.node)).toEqual(["c"]);
  });

  const address = integer({ min: 0, max: 60 });
  const anySet = record({
    start: address,
    length: integer({ min: 0, max: 9 }),
    node: constantFrom("a", "b", "c", "d"),
    key: constantFrom("k", "l", podCIDRsKey),
    family: constantFrom(4 as const, 6 as const),
  });

  it("are found exactly where comparing each with each finds some", () => {
    assert(
      property(array(anySet, { maxLength: 25 }), (all) => {
        const sets = all.map(({ start, length, node, key, family }): NodeRangeSet => {
          const ip = (value: number) => ({ family, value: BigInt(value) });
          const span = { first: ip(start), last: ip(start + length) };
          return { node, key, ranges: [{ subnet: formatIp(span.first) }], spans: [span], size: 1n };
        });
        const collides = (one: NodeRangeSet, other: NodeRangeSet) =>
          one.node !== other.node &&
          (one.key === other.key || [one.key, other.key].includes(podCIDRsKey)) &&
          one.spans.some((span) => other.spans.some((its) => overlaps(span, its)));
        const expected = sets.filter((set, index) =>
          sets.slice(0, index).some((other) => collides(set, other)),
        );
        const found = findConflicts(sets, []);
        expect(found.map(({ set }) => set)).toEqual(expected);
        for (const { set, with: other } of found)
          expect("set" in other && collides(set, other.set)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
