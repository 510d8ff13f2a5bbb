import fc from "fast-check";
import { Address4, Address6 } from "ip-address";
import { describe, expect, it } from "vitest";
import {
  AnnotationError,
  formatAnnotation,
  type NodeRanges,
  parseAnnotation,
} from "../../src/api/annotation.ts";
import { mutated } from "../text/mutations.ts";
import { listedRanges, nodeRanges, respelled, subnet } from "./generate.ts";

const any = fc.oneof(nodeRanges, listedRanges);
const alphabet = '0123456789abcdef.:/,-[]{}" \tsubnetrange\u00a0';

describe("print then parse is the same", () => {
  it("for everything that an annotation can say", () => {
    fc.assert(
      fc.property(
        nodeRanges,
        (ranges) => void expect(parseAnnotation(formatAnnotation(ranges))).toEqual(ranges),
      ),
      { numRuns: 500 },
    );
  });

  it("for lists and spans, which print without JSON", () => {
    fc.assert(
      fc.property(listedRanges, (ranges) => {
        const text = formatAnnotation(ranges);
        expect(text).not.toMatch(/[[{"]/);
        expect(parseAnnotation(text)).toEqual(ranges);
      }),
    );
  });

  it("with blanks anywhere between, or indented", () => {
    const blank = fc.stringMatching(/^[ \t]{0,3}$/);
    fc.assert(
      fc.property(listedRanges, blank, (ranges, space) => {
        const parts = formatAnnotation(ranges).split(/(?=[,-])|(?<=[,-])/);
        expect(parseAnnotation(`${space}${parts.join(space)}${space}`)).toEqual(ranges);
      }),
    );
    fc.assert(
      fc.property(nodeRanges, ({ ranges }) => {
        expect(parseAnnotation(` \n${JSON.stringify(ranges, null, "\t")}\n`)).toEqual({ ranges });
        expect(parseAnnotation(JSON.stringify({ ranges }, null, 2))).toEqual({ ranges });
      }),
    );
  });

  it("is the same for the delegate whatever the spelling was", () => {
    const respelledRanges = listedRanges.chain(({ ranges }) => {
      const [subnets, all] = [ranges.map(([range]) => respelled(range?.subnet ?? "")), ranges.flat()];
      return fc.tuple(...subnets).map((texts) => ({
        ranges: texts.map((text, index) => [{ ...all[index], subnet: text }]),
      }));
    });
    fc.assert(
      fc.property(respelledRanges, (ranges) => {
        const before = parseAnnotation(JSON.stringify(ranges));
        expect(canonical(parseAnnotation(formatAnnotation(before)))).toEqual(canonical(before));
      }),
    );
  });
});

describe("the original's annotations", () => {
  const one = fc.constantFrom<(4 | 6)[]>(4, 6).chain(subnet).chain(respelled);
  const two = fc
    .tuple(subnet(4), subnet(6).chain(respelled), fc.boolean())
    .map(([v4, v6, turned]) => (turned ? [v6, v4] : [v4, v6]));
  const list = fc.oneof(
    one.map((text) => [text]),
    two,
  );

  it("are valid, each network as it is spelled and in its order", () => {
    fc.assert(
      fc.property(list, (texts) => {
        expect(parseAnnotation(texts.join(","))).toEqual({ ranges: texts.map((subnet) => [{ subnet }]) });
      }),
      { numRuns: 500 },
    );
  });

  it.each(["10.1.2.0/024", "fd00::/0064", "0.0.0.0/00"])(
    "are valid with zeros before the prefix length, as net.ParseCIDR has it: %s",
    (text) => {
      expect(parseAnnotation(text)).toMatchObject({ ranges: [[{ subnet: expect.any(String) }]] });
    },
  );

  it("are valid where every network is one that host-local works with, and nowhere else", () => {
    const prefix = fc.integer({ min: 0, max: 130 });
    const network = fc.tuple(fc.oneof(fc.ipV4(), fc.ipV6()), prefix).map(([ip, length]) => `${ip}/${length}`);
    const good = fc.constantFrom<(4 | 6)[]>(4, 6).chain(subnet);
    const texts = fc.array(fc.oneof({ weight: 3, arbitrary: good }, network), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(texts, (parts) => void expect(isValid(parts.join(","))).toBe(isValidAfterMending(parts))),
      { numRuns: 1000 },
    );
  });
});

describe("an annotation that can't be read is an AnnotationError with its place", () => {
  it("for any text", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), expectPlace), { numRuns: 1000 });
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...alphabet) }), expectPlace), { numRuns: 3000 });
  });

  it("for nearly valid ones", () => {
    fc.assert(fc.property(mutated(any.map(formatAnnotation), alphabet), expectPlace), { numRuns: 3000 });
  });

  it("for valid ones with a value of another kind in them", () => {
    const broken = fc
      .tuple(nodeRanges, fc.nat(), fc.jsonValue({ maxDepth: 1 }))
      .map(([ranges, at, value]) => {
        const text = JSON.stringify(ranges);
        const places = [...text.matchAll(/"(?:[^"\\]|\\.)*"(?!:)|\[|\{/g)].map(({ index }) => index);
        const place = places[at % places.length] as number;
        return `${text.slice(0, place)}${JSON.stringify(value)}${text.slice(place + 1).replace(/^[^"]*"/, "")}`;
      });
    fc.assert(fc.property(broken, expectPlace), { numRuns: 1000 });
  });

  it.each([
    ["ten thousand brackets", "[".repeat(10_000)],
    ["ten thousand objects", '{"ranges":'.repeat(10_000)],
    ["ten thousand brackets, closed", "[".repeat(10_000) + "]".repeat(10_000)],
    ["a megabyte of letters", "a".repeat(1 << 20)],
    ["a megabyte of commas", ",".repeat(1 << 20)],
    ["a megabyte of colons", ":".repeat(1 << 20)],
    ["a megabyte of dashes", "-".repeat(1 << 20)],
    ["a megabyte of digits", `10.0.0.0/${"9".repeat(1 << 20)}`],
    ["a megabyte of blanks", " ".repeat(1 << 20)],
    ["a megabyte in a string", JSON.stringify([[{ subnet: "x".repeat(1 << 20) }]])],
    ["a megabyte in a key", JSON.stringify({ ["k".repeat(1 << 20)]: 1 })],
    ["__proto__ as a key", '{"__proto__": {"ranges": [[{"subnet": "10.1.2.0/24"}]]}}'],
    ["__proto__ in a range", '[[{"__proto__": {"subnet": "10.1.2.0/24"}}]]'],
    ["__proto__ beside the subnet", '[[{"subnet": "10.1.2.0/24", "__proto__": {"gateway": "10.1.2.9"}}]]'],
    ["NUL", "\0"],
    ["NUL in a network", "10.1.2.0\0/24"],
    ["NUL in JSON", '[[{"subnet": "10.1.2.0/24\\u0000"}]]'],
    ["a lone surrogate", "\ud800"],
    ["a lone surrogate in a network", "10.1.2.0/24\udfff"],
    ["a lone surrogate in JSON", '[[{"subnet": "\\ud800"}]]'],
  ])("for %s", (_, text) => {
    expect(() => parseAnnotation(text)).toThrow(AnnotationError);
    expectPlace(text);
  });

  it("soon, for as much as a Node can hold", () => {
    const start = performance.now();
    const most = 262_144;
    const count = Math.floor(most / '[{"subnet":"10.123.123.128/30"}],'.length);
    const sets = Array.from({ length: count }, (_, i) => [
      { subnet: `10.${(i >> 14) & 255}.${(i >> 6) & 255}.${(i & 63) * 4}/30` },
    ]);
    expect(parseAnnotation(JSON.stringify(sets)).ranges).toHaveLength(count);
    expect(performance.now() - start).toBeLessThan(5000);
  });
});

function expectPlace(text: string): void {
  try {
    parseAnnotation(text);
  } catch (error) {
    if (!(error instanceof AnnotationError)) throw error;
    const { position, message } = error;
    expect(Number.isInteger(position)).toBe(true);
    expect(position).toBeGreaterThanOrEqual(1);
    expect(position).toBeLessThanOrEqual(text.length + 1);
    expect(message).toMatch(new RegExp(`^at character ${position}: .{10}`, "s"));
  }
}

function isValid(text: string): boolean {
  try {
    parseAnnotation(text);
    return true;
  } catch {
    return false;
  }
}

/** app.go's getPodCIDRs and validateHostLocalIPAM, and what only the delegate found. */
function isValidAfterMending(parts: string[]): boolean {
  const families = parts.map((text) => (text.includes(":") ? 6 : 4));
  return parts.length <= 2 && new Set(families).size === parts.length && parts.every(isGood);
}

function isGood(text: string): boolean {
  const [most, Address] = text.includes(":") ? [126, Address6] : ([30, Address4] as const);
  if (!Address.isValid(text)) return false;
  const network = new Address(text);
  const isMapped = network instanceof Address6 && network.bigInt() >> 32n === 0xffffn;
  const hasHostBits = network.startAddress().bigInt() !== network.bigInt();
  return network.subnetMask <= most && !isMapped && !hasHostBits;
}

function canonical({ ranges }: NodeRanges): unknown {
  const spell = (text: string) => {
    const [ip = "", prefix] = text.split("/");
    const address = ip.includes(":") ? new Address6(ip) : new Address4(ip);
    return `${address.correctForm()}/${prefix}`;
  };
  return ranges.map((set) => set.map((range) => ({ ...range, subnet: spell(range.subnet) })));
}
