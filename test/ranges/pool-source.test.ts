import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { contains, firstOf, formatCidr, lastOf, network, parseCidr } from "../../src/address/cidr.ts";
import { bitsOf, formatIp, type Ip } from "../../src/address/ip.ts";
import { countOf, givable, isInside, type RangeSet, spanOf } from "../../src/address/range.ts";
import { formatPoolAnnotation, type PoolAnnotationBlock } from "../../src/api/pool-annotation.ts";
import { rangeSetsFault } from "../../src/api/range-rules.ts";
import { type CniError, code } from "../../src/cni/error.ts";
import { pools, poolsOfLabel } from "../../src/ranges/pool-source.ts";
import type { NodeValue } from "../../src/ranges/source.ts";

const key = "ippool.ipam.kube-node.io/a";

function textOf(blocks: PoolAnnotationBlock[], rest: object = {}): string {
  return formatPoolAnnotation({ version: 1, nodeUID: "u", holdsFor: 60, ...rest, blocks });
}

/** Any block of any network: up to three ranges one after the other, and a gateway in or outside of them. */
const blocks = fc
  .record({
    family: fc.constantFrom<4 | 6>(4, 6),
    bits: fc.integer({ min: 0, max: 12 }),
    cuts: fc.uniqueArray(fc.nat(4095), { minLength: 2, maxLength: 6 }),
    gateway: fc.option(fc.nat(4095), { nil: undefined }),
    base: fc.nat(1000),
  })
  .map(({ family, bits, cuts, gateway, base }): PoolAnnotationBlock => {
    const size = 2 ** bits;
    const start = (family === 4 ? 0x0a000000n : 0xfd00n << 112n) + BigInt(base * size);
    const text = (offset: number) => formatIp({ family, value: start + BigInt(offset) });
    const ends = [...new Set(cuts.map((cut) => cut % size))].sort((a, b) => a - b);
    const ranges = ends.flatMap((first, i) => {
      if (i % 2 === 1) return [];
      return [`${text(first)}-${text(ends[i + 1] ?? first)}`];
    });
    return {
      ...{ name: "ippool.a.0", subnet: `${text(0)}/${bitsOf(family) - bits}`, ranges },
      ...(gateway !== undefined && { gateway: text(gateway % size) }),
    };
  });

describe("blocks as host-local gets them", () => {
  it("are ranges that it takes, and no address is lost but the gateway's", () => {
    fc.assert(
      fc.property(blocks, (block) => {
        const { ranges } = pools("IPPool", ["a"]).parse(["u", textOf([block])], "n") as {
          ranges: RangeSet[];
        };
        const [set = []] = ranges;
        const own = set.map(({ pool: _, ...range }) => range);
        expect(rangeSetsFault([own], "")).toBeUndefined();
        for (const range of set) {
          const subnet = parseCidr(range.subnet);
          const kept = parseCidr(`${range.gateway}/${bitsOf(subnet?.ip.family ?? 4)}`)?.ip as Ip;
          const isGiven = block.gateway !== undefined && isInside(spanOf(range), kept);
          expect(isInside(spanOf(range), kept)).toBe(isGiven);
          expect(givable(range)).toBe(countOf(spanOf(range)) - (isGiven ? 1n : 0n));
          expect(subnet && contains(subnet, kept)).toBe(true);
          expect(range.pool).toMatchObject({
            block: "ippool.a.0",
            prefix: Number(block.subnet.split("/")[1]),
          });
          expect(range.pool?.gateway).toBe(block.gateway);
        }
        const asked = block.ranges.join();
        expect(set.map(({ rangeStart, rangeEnd }) => `${rangeStart}-${rangeEnd}`).join()).toBe(asked);
      }),
    );
  });

  it("are of the widest need only", () => {
    const seats = (subnet: string, range: string) =>
      (
        pools("IPPool", ["a"]).parse(["u", textOf([{ name: "b", subnet, ranges: [range] }])], "n")[
          "ranges"
        ] as RangeSet[]
      )[0]?.[0];
    expect(seats("10.0.0.8/31", "10.0.0.8-10.0.0.9")).toMatchObject({
      subnet: "10.0.0.8/30",
      gateway: "10.0.0.11",
    });
    expect(seats("10.0.0.0/24", "10.0.0.1-10.0.0.9")).toMatchObject({
      subnet: "10.0.0.0/24",
      gateway: "10.0.0.0",
    });
    expect(seats("10.0.0.4/30", "10.0.0.4-10.0.0.7")).toMatchObject({
      subnet: "10.0.0.0/29",
      gateway: "10.0.0.0",
    });
    const all = parseCidr("0.0.0.0/0");
    expect(all && formatCidr(network(all)) && [firstOf(all), lastOf(all)].map(formatIp)).toEqual([
      "0.0.0.0",
      "255.255.255.255",
    ]);
    expect(seats("0.0.0.0/0", "0.0.0.0-255.255.255.255")).toMatchObject({ subnet: "0.0.0.0/0" });
  });
});

describe("a source of pools", () => {
  const block = { name: "ippool.a.0", subnet: "10.1.0.0/24", ranges: ["10.1.0.1-10.1.0.9"] };
  const two = pools("IPPool", ["a", "b"]);
  const node = { name: "n", uid: "u", podCIDRs: [], annotations: { [key]: textOf([block]) } };

  it("is picked with the Node's UID, each pool's text in its place", () => {
    expect(two.pick(node)).toEqual(["u", textOf([block]), ""]);
    expect(two.pick({ ...node, annotations: {} })).toBeNull();
    expect(two.keys).toEqual([key, "ippool.ipam.kube-node.io/b"]);
  });

  it("is found again by its label", () => {
    expect(poolsOfLabel(two.label)?.keys).toEqual(two.keys);
    for (const label of ["spec.podCIDRs", "annotation a", "annotation IPPool a", "IPPool"])
      expect(poolsOfLabel(label)).toBeUndefined();
  });

  it.each<[NodeValue, string]>([
    [null, "Node n has no block of IPPool a"],
    [["u", textOf([block]), ""], "Node n has no block of IPPool b"],
    [
      ["v", textOf([block]), textOf([block])],
      "annotation ippool.ipam.kube-node.io/a of Node n is another Node's",
    ],
    [["u", "{", textOf([block])], "annotation ippool.ipam.kube-node.io/a of Node n is malformed"],
    [["u"], "Node n has no block of IPPool a"],
    ["10.0.0.0/8", "Node n has no block of IPPool a"],
  ])("%j is error 103", (value, words) => {
    const error = errorOf(() => two.parse(value, "n"));
    expect([error.code, error.message]).toEqual([code.nodeRanges, expect.stringContaining(words)]);
    expect(error.details).not.toBe("");
  });

  it("is never more than an error, whatever stands in the annotation", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(errorOf(() => pools("IPPool", ["a"]).parse(["u", text], "n")).code).toBe(code.nodeRanges);
      }),
    );
  });
});

describe("for how long blocks hold", () => {
  const block = { name: "ippool.a.0", subnet: "10.1.0.0/24", ranges: ["10.1.0.1-10.1.0.9"] };
  const { fence } = pools("IPPool", ["a", "b"]);
  const value = ["u", textOf([block], { holdsFor: 60 }), textOf([block], { holdsFor: 30 })];
  const here = { machineIDs: [], bootID: "now", uptime: 1000 };
  const ago = (seconds: number) => new Date(Date.now() - seconds * 1000).toISOString();

  it.each([
    ["of now", { bootID: "now", at: 1000, time: ago(0) }, false],
    ["as old as the shorter one holds", { bootID: "now", at: 971, time: ago(9999) }, false],
    ["older", { bootID: "now", at: 969, time: ago(0) }, true],
    ["of a time to come", { bootID: "now", at: 1001, time: ago(0) }, true],
    ["at no time", { bootID: "now", at: Number.NaN, time: ago(0) }, true],
    [
      "of an earlier boot, longer ago than this one lasts",
      { bootID: "before", at: 0, time: ago(1001) },
      true,
    ],
    ["of an earlier boot, within this one", { bootID: "before", at: 0, time: ago(20) }, true],
    ["of an earlier boot, at no time", { bootID: "before", at: 0, time: "never" }, true],
  ])("a word %s", (_, word, isOver) => {
    expect(fence?.hasExpired({ ...word, value }, here)).toBe(isOver);
  });

  it("over a reboot the clock counts, where it can be right", () => {
    const young = { ...here, uptime: 5 };
    const word = (seconds: number) => ({ bootID: "before", at: 0, time: ago(seconds), value });
    expect([10, 29, 31].map((seconds) => fence?.hasExpired(word(seconds), young))).toEqual([
      false,
      false,
      true,
    ]);
    expect(fence?.hasExpired(word(3), young)).toBe(true);
  });
});

function errorOf(act: () => unknown): CniError {
  try {
    act();
  } catch (error) {
    return error as CniError;
  }
  throw new Error("there was no error");
}
