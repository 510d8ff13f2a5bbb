import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { contains, firstOf, formatCidr, lastOf, sizeOf } from "../../src/address/cidr.ts";
import { bitsOf, formatIp } from "../../src/address/ip.ts";
import { countOf, isInside, overlaps, type Span } from "../../src/address/range.ts";
import { gridFor, placeIn } from "../../src/map/grid.ts";
import { huesOf } from "../../src/map/hues.ts";
import { indexExcluded, spanOfSection } from "../../src/map/sections.ts";
import { segmentsOf } from "../../src/map/segments.ts";
import { findWithin, indexSpans } from "../../src/map/span-index.ts";
import { countStrips, stripsOf, typicalSize } from "../../src/map/strips.ts";
import { chart, type NodeWithRanges } from "../../src/map/territory.ts";
import { levelOf, levels, scaleFor, useOf } from "../../src/map/use.ts";
import { territoryOf, troubled } from "./world.ts";

/** Networks close enough to each other to meet, and others far away. */
const subnet = fc
  .record({
    family: fc.constantFrom<4 | 6>(4, 6),
    block: fc.bigInt({ min: 0n, max: 600n }),
    isFar: fc.boolean(),
    shorter: fc.integer({ min: 0, max: 6 }),
  })
  .map(({ family, block, isFar, shorter }) => {
    const prefix = (family === 4 ? 24 : 64) + shorter;
    const base = family === 4 ? (isFar ? 0x0a000000n : 0xac140000n) : (isFar ? 0xfd01n : 0xfd00n) << 112n;
    const value = base + (block << BigInt(bitsOf(family) - 24 - (family === 4 ? 0 : 40)));
    return formatCidr({ ip: firstOf({ ip: { family, value }, prefix }), prefix });
  });

const nodes = fc
  .array(fc.array(subnet, { minLength: 1, maxLength: 2 }), { maxLength: 40 })
  .map((all) =>
    all.map(
      (subnets, at): NodeWithRanges => ({ name: `n${at}`, ranges: subnets.map((subnet) => ({ subnet })) }),
    ),
  );

describe("sections", () => {
  it("have every block once, in a network that has all of it", () => {
    fc.assert(
      fc.property(nodes, (nodes) => {
        const { blocks, sections } = chart(nodes, []);
        expect(sections.flatMap(({ blocks }) => blocks)).toEqual(blocks);
        for (const { network, blocks } of sections)
          for (const { span } of blocks) {
            expect(contains(network, span.first)).toBe(true);
            expect(contains(network, span.last)).toBe(true);
          }
      }),
    );
  });

  it("are the smallest common networks, and don't overlap", () => {
    fc.assert(
      fc.property(nodes, (nodes) => {
        const { sections } = chart(nodes, []);
        for (const [at, section] of sections.entries()) {
          const { first, last } = spanOfSection(section);
          const half = first.value + sizeOf(section.network) / 2n;
          const isSplit = section.blocks.some(({ span }) => span.last.value >= half);
          const isWhole = section.blocks.some(({ span }) => span.first.value < half);
          expect(isSplit && isWhole).toBe(true);
          const others = sections.slice(at + 1).map(spanOfSection);
          expect(others.some((other) => overlaps(other, { first, last }))).toBe(false);
        }
      }),
    );
  });
});

describe("strips", () => {
  it("cover a section from end to end without a hole, and as many as were counted", () => {
    fc.assert(
      fc.property(nodes, fc.integer({ min: 0, max: 8 }), (nodes, larger) => {
        for (const section of chart(nodes, []).sections) {
          const space = spanOfSection(section);
          const spans = section.blocks.map(({ span }) => span);
          const size = typicalSize(spans) << BigInt(larger);
          const lines = stripsOf(space, spans, size);
          expect(BigInt(lines.length)).toBe(countStrips(space, spans, size));
          expect(lines[0]?.span.first).toEqual(space.first);
          expect(lines.at(-1)?.span.last).toEqual(space.last);
          for (const [at, { span }] of lines.entries())
            if (at > 0) expect(span.first.value).toBe((lines[at - 1]?.span.last.value ?? 0n) + 1n);
          expect(lines.reduce((sum, { span }) => sum + countOf(span), 0n)).toBe(sizeOf(section.network));
          for (const { kind, span } of lines)
            if (kind === "gap") expect(spans.some((one) => overlaps(one, span))).toBe(false);
        }
      }),
    );
  });

  it("divide into segments that add up to each block and to the free rest", () => {
    fc.assert(
      fc.property(nodes, (nodes) => {
        for (const section of chart(nodes, []).sections) {
          const index = indexSpans(section.blocks);
          const { size } = gridFor(section, 200);
          const spans = section.blocks.map(({ span }) => span);
          const drawn = new Map(section.blocks.map((block) => [block, 0n]));
          for (const { kind, span } of stripsOf(spanOfSection(section), spans, size)) {
            if (kind === "gap") continue;
            for (const segment of segmentsOf(span, index, indexExcluded(section))) {
              const { from, to } = placeIn(span.first.value, size, segment.span);
              expect(from).toBeGreaterThanOrEqual(0);
              expect(to).toBeLessThanOrEqual(1);
              for (const block of segment.blocks)
                drawn.set(block, (drawn.get(block) ?? 0n) + countOf(segment.span));
              if (segment.blocks.length === 0) expect(findWithin(index, segment.span)).toEqual([]);
            }
          }
          for (const [block, size] of drawn) expect(size).toBe(countOf(block.span));
        }
      }),
    );
  });
});

describe("the index", () => {
  it("finds what a look at everything finds", () => {
    fc.assert(
      fc.property(nodes, fc.array(subnet), (nodes, asked) => {
        const { blocks } = chart(nodes, []);
        const index = indexSpans(blocks);
        for (const text of asked) {
          const [block] = chart([{ name: "", ranges: [{ subnet: text }] }], []).blocks;
          const span = block?.span as Span;
          expect(findWithin(index, span)).toEqual(blocks.filter((one) => overlaps(one.span, span)));
        }
      }),
    );
  });
});

describe("a territory", () => {
  it("gives every pod to one block that has its address, or says that none has", () => {
    const holder = fc.record({ subnet, offset: fc.bigInt({ min: 0n, max: 200n }), node: fc.nat(40) });
    fc.assert(
      fc.property(nodes, fc.array(holder), (nodes, wanted) => {
        const holders = wanted.map(({ subnet, offset, node }, at) => {
          const [block] = chart([{ name: "", ranges: [{ subnet }] }], []).blocks;
          const { family, value } = block?.span.first ?? { family: 4, value: 0n };
          return { address: { family, value: value + offset }, pod: `default/${at}`, node: `n${node}` };
        });
        const { blocks, sections, strays } = chart(nodes, holders);
        for (const { span, held } of blocks)
          for (const { address } of held) expect(isInside(span, address)).toBe(true);
        for (const { address } of strays)
          expect(blocks.some(({ span }) => isInside(span, address))).toBe(false);
        const near = holders.filter(({ address }) =>
          sections.some(({ network }) => contains(network, address)),
        );
        expect(blocks.reduce((sum, { held }) => sum + held.length, strays.length)).toBe(near.length);
      }),
    );
  });

  it("names conflicts, malformed annotations and strays, and leaves other networks' addresses alone", () => {
    const { conflicts, faults, strays, blocks } = territoryOf(troubled);
    expect(conflicts.map(({ blocks }) => blocks.map(({ node }) => node))).toEqual([["beta", "gamma"]]);
    expect(faults.map(({ node }) => node)).toEqual(["epsilon"]);
    expect(strays.map(({ pod, address }) => [pod, formatIp(address)])).toEqual([
      ["default/lost", "10.8.2.9"],
    ]);
    const gamma = blocks.find(({ node }) => node === "gamma");
    expect(gamma?.held.map(({ pod }) => pod)).toEqual(["default/two"]);
  });

  it("counts what host-local gives: without network, broadcast and gateway address", () => {
    const { blocks } = territoryOf({
      nodes: {
        a: "10.0.0.0/24",
        b: "10.0.1.10-10.0.1.19/24",
        c: '[[{"subnet": "10.0.2.0/24", "gateway": "10.0.2.254"}]]',
        d: "fd00::/120",
      },
    });
    expect(blocks.map(({ usable }) => usable)).toEqual([253n, 10n, 253n, 254n]);
  });

  it("has as many addresses in conflict as there are, found by looking at all pairs", () => {
    fc.assert(
      fc.property(nodes, (nodes) => {
        const { blocks, conflicts } = chart(nodes, []);
        const byPairs = blocks.filter((one) =>
          blocks.some((other) => one !== other && overlaps(one.span, other.span)),
        );
        expect(new Set(conflicts.flatMap(({ blocks }) => blocks))).toEqual(new Set(byPairs));
      }),
    );
  });
});

describe("hues", () => {
  it("differ between neighbours, where no node has many of them", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 200 }), (count) => {
        const ranges = Array.from({ length: count }, (_, at) => ({ subnet: `10.0.${at}.0/24` }));
        const { blocks } = chart(
          ranges.map((range, at) => ({ name: `n${at}`, ranges: [range] })),
          [],
        );
        const hues = huesOf(blocks, 5);
        for (const [at, { node }] of blocks.entries()) {
          const next = blocks[at + 1];
          if (next) expect(hues.get(node)).not.toBe(hues.get(next.node));
        }
      }),
    );
  });
});

describe("shades", () => {
  it.each([
    [0, 0],
    [1, 1],
    [63, 1],
    [64, 2],
    [127, 3],
    [190, 4],
    [228, 5],
    [253, 5],
  ])("%i of 253 is step %i", (held, level) => {
    const pods = Object.fromEntries(
      Array.from({ length: held }, (_, at) => [`default/p${at}@a`, [`10.0.0.${at + 2}`]]),
    );
    const { blocks } = territoryOf({ nodes: { a: "10.0.0.0/24" }, pods });
    expect(levelOf(useOf(blocks), 1, scaleFor(blocks))).toBe(level);
  });

  it("are of the fullest block where no block can become full, and nothing is nearly full then", () => {
    const pods = { "default/a@a": ["fd00::2", "fd00::3"], "default/b@b": ["fd00:0:0:1::2"] };
    const { blocks } = territoryOf({ nodes: { a: "fd00::/64", b: "fd00:0:0:1::/64" }, pods });
    const scale = scaleFor(blocks);
    expect(scale).toEqual({ of: "most", most: 2 });
    expect(blocks.map((block) => levelOf(useOf([block]), 1, scale))).toEqual([levels.length - 2, 3]);
  });

  it("ends at the section's last address", () => {
    const { sections } = territoryOf({ nodes: { a: "10.0.0.0/24", b: "10.0.3.0/24" } });
    expect(sections.map(({ network }) => formatIp(lastOf(network)))).toEqual(["10.0.3.255"]);
  });
});
