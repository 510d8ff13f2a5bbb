import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  isObject,
  JsonSyntaxError,
  kindOf,
  type LocatedJson,
  lineAndColumn,
  locateJson,
  parseJson,
} from "../../src/text/json.ts";
import { mutated } from "./mutations.ts";

const alphabet = "{}[]\",:\\0123456789eE+-.truefalsn \t\r\n\u00a0'$_/*u";

describe("locateJson and JSON.parse have the same verdict and value", () => {
  it("for JSON of every kind", () => {
    fc.assert(
      fc.property(fc.json(), (text) => void expect(locateJson(text).value).toStrictEqual(JSON.parse(text))),
      { numRuns: 500 },
    );
  });

  it("for nearly JSON", () => {
    fc.assert(fc.property(mutated(fc.json(), alphabet), agree), { numRuns: 5000 });
  });

  it("for any text", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), agree), { numRuns: 1000 });
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...alphabet) }), agree), { numRuns: 5000 });
  });

  it.each([
    '{"__proto__": {"a": 1}}',
    '{"a": {"__proto__": null, "constructor": 1, "toString": 2}}',
    '{"a": 1, "a": 2}',
    '"\\ud800"',
    '"\ud800"',
    '"\u2028\u2029"',
    '"a\u0000b"',
    '"\\u0000"',
    "-0",
    "1e400",
    "1e-400",
    "01",
    "1.",
    ".5",
    "+1",
    "NaN",
    "\ufeff1",
    "1\u00a0",
    "\u000b1",
    "",
    " ",
    "'a'",
    "{a: 1}",
    "[1,]",
    '{"a":1,}',
    "[,]",
    "{,}",
    "[1 2]",
    '"\\x41"',
    '"\\u12g4"',
    '"tab\tin it"',
    "/* c */ 1",
    "1 // c",
    "nullx",
    "truefalse",
  ])("for %j", agree);

  it("but for 65 brackets inside one another", () => {
    const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
    agree(nested(64));
    expect(() => locateJson(`[${nested(65)}]`)).toThrow("at most 64 brackets inside one another");
    expect(() => locateJson("[".repeat(10_000))).toThrow(JsonSyntaxError);
    expect(() => locateJson('{"a":'.repeat(10_000))).toThrow(JsonSyntaxError);
  });

  it("for a megabyte in one string", () => {
    const long = JSON.stringify({ a: "x".repeat(1_000_000) });
    agree(long);
    agree(long.slice(0, -1));
    agree(long.slice(0, -2));
  });
});

describe("positions", () => {
  const key = fc.stringMatching(/^[a-z]{1,5}$/);
  const scalar = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null));
  const tree = fc.letrec((tie) => ({
    value: fc.oneof({ depthSize: "small" }, scalar, tie("array"), tie("object")),
    array: fc.array(tie("value"), { maxLength: 4 }),
    object: fc.dictionary(key, tie("value"), { maxKeys: 4, noNullPrototype: true }),
  })).value;

  it("are where each value begins, however it is indented", () => {
    fc.assert(
      fc.property(tree, fc.constantFrom("", " ", "\t", "\n\r "), (value, indent) => {
        const text = `${indent}${JSON.stringify(value, null, indent.slice(0, 1))}${indent}`;
        const { positions } = locateJson(text);
        const wanted = [...walk(value, "")];
        expect([...positions.keys()].sort()).toEqual(wanted.map(([path]) => path).sort());
        for (const [path, part] of wanted) {
          const begins = isLeaf(part) ? JSON.stringify(part) : Array.isArray(part) ? "[" : "{";
          expect(text.startsWith(begins, positions.get(path))).toBe(true);
        }
      }),
    );
  });

  it("name members and items by their path", () => {
    const { positions } = locateJson('{"ranges": [[{"subnet": "10.1.2.0/24"}]], "routes": []}');
    expect(Object.fromEntries(positions)).toEqual({
      "": 0,
      ranges: 11,
      "ranges[0]": 12,
      "ranges[0][0]": 13,
      "ranges[0][0].subnet": 24,
      routes: 52,
    });
  });
});

describe("what was expected, and where", () => {
  it.each([
    ["", 0, "a value: an object, an array, a string, a number, true, false or null"],
    ["[1, x]", 4, "a value"],
    ["[1 2]", 3, '"," or "]"'],
    ["[1,2", 4, '"," or "]"'],
    ['{"a" 1}', 5, '":" after the key "a"'],
    ['{"a": 1 "b": 2}', 8, '"," or "}"'],
    ["{a: 1}", 1, "a key in double quotes"],
    ['{"a": 1,}', 8, "a key in double quotes"],
    ['{"a": "open', 6, "a value"],
    ["1 2", 2, "the end"],
    ['{"a": 1}}', 8, "the end"],
  ])("%j fails at %d", (text, position, words) => {
    const error = failureOf(() => locateJson(text));
    expect(error?.message).toContain(words);
    expect(error?.position).toBe(position);
  });

  it("is inside of the text, or at its end", () => {
    fc.assert(
      fc.property(mutated(fc.json(), alphabet), (text) => {
        const error = failureOf(() => locateJson(text));
        if (!error) return;
        expect(error.position).toBeGreaterThanOrEqual(0);
        expect(error.position).toBeLessThanOrEqual(text.length);
        expect(error.message).not.toBe("");
      }),
      { numRuns: 2000 },
    );
  });
});

describe("bare keys", () => {
  it.each([
    ['{a: 1, "b": 2, _c$9: 3}', { a: 1, b: 2, _c$9: 3 }],
    ["{ranges: [[{subnet: null}]]}", { ranges: [[{ subnet: null }]] }],
    ["{true: 1, null: 2}", { true: 1, null: 2 }],
    ['{__proto__: {"a": 1}}', JSON.parse('{"__proto__": {"a": 1}}')],
  ])("%s", (text, value) => {
    expect(locateJson(text, { bareKeys: true }).value).toStrictEqual(value);
    expect(() => locateJson(text)).toThrow(JsonSyntaxError);
  });

  it.each(["{1a: 1}", "{a-b: 1}", "{ : 1}", "{a.b: 1}", "{é: 1}", "{a: b}", "{'a': 1}", "{(a): 1}", "{a}"])(
    "refuse %j",
    (text) => {
      expect(() => locateJson(text, { bareKeys: true })).toThrow(JsonSyntaxError);
    },
  );

  it("take all JSON", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(locateJson(text, { bareKeys: true }).value).toStrictEqual(JSON.parse(text));
      }),
    );
  });
});

describe("parseJson", () => {
  it("is JSON.parse with a position", () => {
    expect(parseJson('{"a": [1, 2]}')).toEqual({ a: [1, 2] });
    expect(failureOf(() => parseJson('{"a": [1, 2}'))).toMatchObject({ position: 11 });
  });
});

describe("lineAndColumn", () => {
  it.each([
    ["abc", 0, "line 1, column 1"],
    ["abc", 3, "line 1, column 4"],
    ["a\nb\nc", 4, "line 3, column 1"],
    ["a\n\nc", 2, "line 2, column 1"],
    ["a\r\nbc", 4, "line 2, column 2"],
  ])("in %j at %d: %s", (text, position, words) => {
    expect(lineAndColumn(text, position)).toBe(words);
  });
});

describe("kindOf and isObject", () => {
  it.each([
    [undefined, "nothing", false],
    [null, "null", false],
    [[], "an array", false],
    [{}, "an object", true],
    ["a", "a string", false],
    [1, "a number", false],
    [true, "a boolean", false],
  ])("%j is %s", (value, words, object) => {
    expect([kindOf(value), isObject(value)]).toEqual([words, object]);
  });
});

function agree(text: string): void {
  const [own, theirs] = [locateJson, JSON.parse].map((parse) => {
    try {
      return { value: parse(text) as unknown };
    } catch (error) {
      if (parse === locateJson && !(error instanceof JsonSyntaxError)) throw error;
      return "malformed";
    }
  });
  if (own === "malformed" || theirs === "malformed") expect(own).toBe(theirs);
  else expect((own as { value: LocatedJson }).value.value).toStrictEqual(theirs?.value);
}

function failureOf(run: () => unknown): JsonSyntaxError | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof JsonSyntaxError) return error;
    throw error;
  }
}

function isLeaf(value: unknown): boolean {
  return typeof value !== "object" || value === null;
}

function* walk(value: unknown, path: string): Generator<[path: string, part: unknown]> {
  yield [path, value];
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* walk(item, `${path}[${index}]`);
  } else if (isObject(value)) {
    for (const [key, member] of Object.entries(value))
      yield* walk(member, path === "" ? key : `${path}.${key}`);
  }
}
