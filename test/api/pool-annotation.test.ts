import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatIp } from "../../src/address/ip.ts";
import { AnnotationError } from "../../src/api/annotation.ts";
import {
  formatPoolAnnotation,
  type PoolAnnotation,
  type PoolAnnotationBlock,
  parsePoolAnnotation,
} from "../../src/api/pool-annotation.ts";

const block: PoolAnnotationBlock = {
  name: "ippool.a.3",
  subnet: "10.1.0.0/16",
  ranges: ["10.1.0.10-10.1.0.12", "10.1.0.14-10.1.0.20"],
  gateway: "10.1.0.1",
};
const good: PoolAnnotation = { version: 1, nodeUID: "uid-1", holdsFor: 43_200, blocks: [block] };

const v6: PoolAnnotationBlock = { name: "ippool.a.4", subnet: "fd00::/64", ranges: ["fd00::1-fd00::9"] };

/** Annotations as the controller may write them: blocks one after the other, each with gaps for its exclusions. */
const annotations: fc.Arbitrary<PoolAnnotation> = fc
  .record({
    isV6: fc.boolean(),
    nodeUID: fc.uuid(),
    holdsFor: fc.nat(),
    shapes: fc.array(
      fc.record({
        gaps: fc.array(fc.tuple(fc.nat(5), fc.nat(9)), { minLength: 1, maxLength: 4 }),
        hasGateway: fc.boolean(),
        isClosing: fc.boolean(),
      }),
      { maxLength: 4 },
    ),
    hasRoutes: fc.boolean(),
    isDefault: fc.boolean(),
  })
  .map(({ isV6, nodeUID, holdsFor, shapes, hasRoutes, isDefault }) => {
    const family = isV6 ? 6 : 4;
    const base = isV6 ? 0xfd00n << 112n : 0x0a010000n;
    const text = (offset: number) => formatIp({ family, value: base + BigInt(offset) });
    let next = 2;
    const blocks = shapes.map(({ gaps, hasGateway, isClosing }, i): PoolAnnotationBlock => {
      const ranges = gaps.map(([gap, length]) => {
        const first = next + gap;
        next = first + length + 1;
        return `${text(first)}-${text(first + length)}`;
      });
      const subnet = isV6 ? "fd00::/64" : "10.1.0.0/16";
      return {
        ...{ name: `ippool.a.${i}`, subnet, ranges },
        ...(hasGateway && { gateway: text(1) }),
        ...(isClosing && { closing: true }),
      };
    });
    return {
      ...{ version: 1, nodeUID, holdsFor, blocks },
      ...(hasRoutes && { routes: [{ dst: isV6 ? "::/0" : "192.0.2.0/24" }] }),
      ...(isDefault && { defaultGateway: true }),
    };
  });

/** Values at any place of a good annotation replaced by anything. */
const broken = fc
  .tuple(annotations, fc.nat(), fc.jsonValue(), fc.boolean())
  .map(([annotation, seed, value, cuts]) => {
    const text = formatPoolAnnotation(annotation);
    if (cuts) return text.slice(0, seed % (text.length + 1));
    const places = [...text.matchAll(/"[^"]*"|\d+|true/g)];
    const place = places[seed % places.length];
    if (!place) return text;
    return text.slice(0, place.index) + JSON.stringify(value) + text.slice(place.index + place[0].length);
  });

function wordsOf(text: string): string {
  try {
    parsePoolAnnotation(text);
    return "";
  } catch (error) {
    if (!(error instanceof AnnotationError)) throw error;
    expect(error.position).toBeGreaterThanOrEqual(1);
    expect(error.position).toBeLessThanOrEqual(text.length + 1);
    return error.message;
  }
}

describe("a pool's annotation", () => {
  it("is read as it was written", () => {
    fc.assert(
      fc.property(annotations, (annotation) => {
        expect(parsePoolAnnotation(formatPoolAnnotation(annotation))).toEqual(annotation);
      }),
    );
  });

  it("is the same text for the same content, whatever the order of keys", () => {
    const { nodeUID, ...rest } = good;
    expect(formatPoolAnnotation({ ...rest, nodeUID })).toBe(formatPoolAnnotation(good));
  });

  it("is an AnnotationError at worst, with a position in the text", () => {
    fc.assert(fc.property(fc.oneof(broken, fc.string(), fc.json()), (text) => void wordsOf(text)));
  });

  it.each<[string, object, string]>([
    ["another version", { ...good, version: 2 }, "version: expected 1, found 2"],
    ["no UID", { ...good, nodeUID: "" }, 'nodeUID: expected the Node\'s UID, found ""'],
    ["no time", { ...good, holdsFor: undefined }, "holdsFor: expected seconds, found nothing"],
    ["a time in words", { ...good, holdsFor: "12h" }, 'holdsFor: expected seconds, found "12h"'],
    ["no blocks", { ...good, blocks: {} }, "blocks: expected an array, found an object"],
    ["a block without name", blocks({ name: 1 }), "blocks[0].name: expected a NodeBlock's name, found 1"],
    [
      "host bits",
      blocks({ subnet: "10.1.0.1/16" }),
      "blocks[0].subnet: 10.1.0.1/16 has host bits set: write 10.1.0.0/16",
    ],
    ["no network", blocks({ subnet: "10.1/16" }), "blocks[0].subnet: expected a network"],
    ["one address", blocks({ ranges: ["10.1.0.1"] }), "blocks[0].ranges[0]: expected FIRST-LAST"],
    [
      "a range backwards",
      blocks({ ranges: ["10.1.0.9-10.1.0.2"] }),
      "blocks[0].ranges[0]: expected FIRST-LAST",
    ],
    [
      "a range outside",
      blocks({ ranges: ["10.1.0.9-10.2.0.2"] }),
      "10.1.0.9-10.2.0.2 is outside of 10.1.0.0/16",
    ],
    ["ranges that overlap", blocks({ ranges: ["10.1.0.1-10.1.0.5", "10.1.0.5-10.1.0.9"] }), "overlaps with"],
    ["a gateway outside", blocks({ gateway: "10.2.0.1" }), "blocks[0].gateway: 10.2.0.1 is outside"],
    ["closing in words", blocks({ closing: "yes" }), 'blocks[0].closing: expected true, found "yes"'],
    ["two families", { ...good, blocks: [block, v6] }, "blocks[1].subnet: IPv4 and IPv6 in one pool"],
    [
      "a route elsewhere",
      { ...good, routes: [{ dst: "::/0" }] },
      "routes[0].dst: ::/0 is not of the blocks' family",
    ],
  ])("is refused with %s", (_, value, words) => {
    expect(wordsOf(JSON.stringify(value))).toContain(words);
  });

  it("says at which character its JSON breaks off", () => {
    expect(wordsOf('{"version": 1,')).toBe(
      "at character 15: JSON is malformed: expected a key in double quotes",
    );
    expect(wordsOf("")).toContain("at character 1: JSON is malformed");
  });

  it("may hold keys of a later release, and null for absent", () => {
    const more = { ...good, blocks: [{ ...block, rack: "r1", closing: null }], routes: null, rack: "r1" };
    expect(parsePoolAnnotation(JSON.stringify(more))).toEqual(good);
  });
});

function blocks(change: object): object {
  return { ...good, blocks: [{ ...block, ...change }] };
}
