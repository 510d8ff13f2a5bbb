import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AnnotationError } from "../../src/api/annotation.ts";
import { nestRanges, parseAnnotationBody } from "../../src/api/annotation-body.ts";
import { isObject, type JsonObject } from "../../src/text/json.ts";
import { mutated } from "../text/mutations.ts";
import { nodeRanges } from "./generate.ts";

const alphabet = "{}[]\",:\\0123456789.eE+-truefalsn $_\t\n/*#'`()";
const key = fc.oneof(fc.stringMatching(/^[A-Za-z_$][\w$]{0,6}$/), fc.string(), fc.constant("__proto__"));
const anything = fc.dictionary(key, fc.jsonValue({ maxDepth: 3 }), { minKeys: 1, noNullPrototype: true });
const body = fc.oneof(nodeRanges as unknown as fc.Arbitrary<JsonObject>, anything);

describe("print then parse is the same", () => {
  it("with quoted keys", () => {
    fc.assert(
      fc.property(body, fc.constantFrom("", "\t", "  "), (value, indent) => {
        const text = JSON.stringify(value, null, indent).slice(1, -1);
        expect(parseAnnotationBody(text)).toStrictEqual(JSON.parse(`{${text}}`));
      }),
      { numRuns: 500 },
    );
  });

  it("with bare keys where they can be bare", () => {
    fc.assert(
      fc.property(body, (value) => {
        const text = printBare(value).slice(1, -1);
        expect(parseAnnotationBody(text)).toStrictEqual(JSON.parse(JSON.stringify(value)));
      }),
      { numRuns: 500 },
    );
  });
});

describe("the original's bodies", () => {
  it.each([
    ['ranges: [[{subnet: "172.16.5.0/24"}]]', { ranges: [[{ subnet: "172.16.5.0/24" }]] }],
    ['"ranges": [[{"subnet": "16.0.0.0/24"}]]', { ranges: [[{ subnet: "16.0.0.0/24" }]] }],
    [
      '"ranges": [[{ "subnet":"4000::16.0.0.0/120", "rangeStart":"4000::16.0.0.2", "rangeEnd":"4000::16.0.0.20" }]],\n  dataDir: "/tmp/net"',
      {
        ranges: [
          [{ subnet: "4000::16.0.0.0/120", rangeStart: "4000::16.0.0.2", rangeEnd: "4000::16.0.0.20" }],
        ],
        dataDir: "/tmp/net",
      },
    ],
    ["a: null", { a: null }],
    ['a: "null"', { a: "null" }],
    ["null: 1, true: 2", { null: 1, true: 2 }],
  ])("%s", (text, value) => {
    expect(parseAnnotationBody(text)).toEqual(value);
  });

  it.each(["env.PATH", "a: env.PATH", "a: $ENV", "(1+1): 2", "a: 1 | .", "a: input", "a: `id`", "a: $(id)"])(
    "are data, never programs: %s",
    (text) => {
      expect(() => parseAnnotationBody(text)).toThrow(AnnotationError);
    },
  );
});

describe("what is wrong with a body, and at which character", () => {
  it.each<[string, number, string]>([
    ["", 1, "the annotation is empty: expected ranges:"],
    [" \n", 1, "the annotation is empty"],
    ["ranges", 7, 'expected ":" after the key "ranges"'],
    ["ranges:", 8, "expected a value"],
    ["ranges: [[{subnet: 10.0.0.0/8}]]", 24, 'expected "," or "}"'],
    ["ranges: fish", 9, "expected a value"],
    ["ranges: [1,", 12, "expected a value"],
    ["ranges: [1", 11, 'expected "," or "]"'],
    ["a: 1,", 6, "expected a key"],
    ["a: 1, 2: 3", 7, "expected a key"],
    ["a-b: 1", 2, 'expected ":" after the key "a"'],
    ["a: 1}", 6, "expected the end"],
    ["a: 1}, {b: 2", 6, "expected the end"],
    ["}", 2, "expected the end"],
    ["'a': 1", 1, "expected a key"],
    ['{"ranges": []}', 1, "expected a key; leave out the outer braces"],
    ["10.1.2.0/24", 1, "expected a key"],
  ])("%j: %d, %s", (text, character, words) => {
    const error = errorOf(text);
    expect(error?.message).toContain(words);
    expect(error?.position).toBe(character);
  });

  it("is an AnnotationError with its place, for any text", () => {
    const print = body.map(printBare).map((text) => text.slice(1, -1));
    fc.assert(fc.property(fc.string({ unit: "binary" }), expectPlace), { numRuns: 1000 });
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...alphabet) }), expectPlace), { numRuns: 1500 });
    fc.assert(fc.property(mutated(print, alphabet), expectPlace), { numRuns: 1500 });
  });

  it.each([
    ["ten thousand brackets", `a: ${"[".repeat(10_000)}`],
    ["ten thousand brackets, closed", `a: ${"[".repeat(10_000)}${"]".repeat(10_000)}`],
    ["ten thousand objects", "{a:".repeat(10_000)],
    ["a megabyte of letters", "a".repeat(1 << 20)],
    ["a megabyte of closing braces", "}".repeat(1 << 20)],
    ["a megabyte in a string left open", `a: "${"x".repeat(1 << 20)}`],
    ["NUL", "\0"],
    ["NUL in a string", 'a: "\0"'],
    ["a lone surrogate", "\ud800: 1"],
  ])("for %s", (_, text) => {
    expect(() => parseAnnotationBody(text)).toThrow(AnnotationError);
    expectPlace(text);
  });

  it("but a megabyte in a string is good", () => {
    const long = "x".repeat(1 << 20);
    expect(parseAnnotationBody(`a: "${long}"`)).toEqual({ a: long });
  });

  it("but __proto__ is a key like others", () => {
    const found = parseAnnotationBody('__proto__: {"polluted": true}, "b": {__proto__: 1}');
    expect(Object.keys(found)).toEqual(["__proto__", "b"]);
    expect(Object.getPrototypeOf(found)).toBe(Object.prototype);
    expect(({} as JsonObject)["polluted"]).toBeUndefined();
  });
});

describe("nestRanges", () => {
  it.each([
    [{ ranges: [{ subnet: "a" }, { subnet: "b" }] }, { ranges: [[{ subnet: "a" }], [{ subnet: "b" }]] }],
    [{ ranges: [[{ subnet: "a" }], { subnet: "b" }] }, { ranges: [[{ subnet: "a" }], [{ subnet: "b" }]] }],
    [{ ranges: [[{ subnet: "a" }, { subnet: "b" }]] }, { ranges: [[{ subnet: "a" }, { subnet: "b" }]] }],
    [{ ranges: ["a", null] }, { ranges: ["a", null] }],
    [{ ranges: [] }, { ranges: [] }],
    [{ ranges: { subnet: "a" } }, { ranges: { subnet: "a" } }],
    [{ dataDir: "/a" }, { dataDir: "/a" }],
  ])("%j becomes %j", (before, after) => {
    expect(nestRanges(before)).toEqual(after);
    expect(nestRanges(nestRanges(before))).toEqual(after);
  });

  it("keeps what stands beside", () => {
    expect(nestRanges({ ranges: [{ subnet: "a" }], routes: [{ dst: "b" }] })).toEqual({
      ranges: [[{ subnet: "a" }]],
      routes: [{ dst: "b" }],
    });
  });
});

function printBare(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(printBare).join(", ")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const members = Object.entries(value).map(([name, member]) => {
    const isBare = /^[A-Za-z_$][\w$]*$/.test(name);
    return `${isBare ? name : JSON.stringify(name)}: ${printBare(member)}`;
  });
  return `{${members.join(", ")}}`;
}

function expectPlace(text: string): void {
  const error = errorOf(text);
  if (!error) return;
  const { position, message } = error;
  expect(position).toBeGreaterThanOrEqual(1);
  expect(position).toBeLessThanOrEqual(text.length + 1);
  expect(message).toMatch(new RegExp(`^at character ${position}: .{10}`, "s"));
}

function errorOf(text: string): AnnotationError | undefined {
  try {
    parseAnnotationBody(text);
    return undefined;
  } catch (error) {
    if (error instanceof AnnotationError) return error;
    throw error;
  }
}
