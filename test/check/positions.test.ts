// Where a character of a YAML string's value stands in its file, whatever its quotes, folds and indentation.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isScalar, parseDocument, Scalar, stringify } from "yaml";
import { locateJsonText } from "../../src/check/located.ts";
import { scalarToFile } from "../../src/check/scalar-position.ts";
import { locateJson } from "../../src/text/json.ts";

const word = fc.stringMatching(/^[a-z0-9{}:,"'#\\]{1,12}$/);
const line = fc.array(word, { maxLength: 12 }).map((words) => words.join(" "));
const text = fc.array(line, { minLength: 1, maxLength: 8 }).map((lines) => lines.join("\n"));
const style = fc.constantFrom(
  Scalar.PLAIN,
  Scalar.QUOTE_SINGLE,
  Scalar.QUOTE_DOUBLE,
  Scalar.BLOCK_LITERAL,
  Scalar.BLOCK_FOLDED,
);

describe("scalarToFile", () => {
  it("finds each character in any style in which YAML can write a string", () => {
    fc.assert(
      fc.property(text, style, fc.integer({ min: 0, max: 60 }), (value, type, lineWidth) => {
        const scalar = Object.assign(new Scalar(value), { type });
        const file = stringify({ spec: { config: scalar } }, { lineWidth: lineWidth < 20 ? 0 : lineWidth });
        const document = parseDocument(file);
        const node = document.getIn(["spec", "config"], true);
        // The library writes some texts so that it can't read them again.
        fc.pre(isScalar(node) && typeof node.value === "string" && document.errors.length === 0);
        const toFile = scalarToFile(file, node as Scalar);
        for (const [position, character] of [...(node as Scalar<string>).value].entries()) {
          const found = file[toFile(position)];
          // A blank may be a line's end, or stand before one; a quote or backslash is written with a backslash.
          if (/\s/.test(character)) continue;
          const plain =
            (node as Scalar).type === Scalar.QUOTE_DOUBLE && /["\\]/.test(character) ? "\\" : character;
          expect({ position, found, file }).toEqual({ position, found: plain, file });
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("finds them behind every kind of escape", () => {
    const file = 'a: "\\x41\\u0042\\U0001F600\\t\\\\\\/\\\n  z"\n';
    const node = parseDocument(file).get("a", true) as Scalar;
    expect(node.value).toBe("AB😀\t\\/z");
    const toFile = scalarToFile(file, node);
    const places = [..."AB", "", "", ..."\t\\/z"].map((_, index) =>
      file.slice(toFile(index), toFile(index) + 2),
    );
    expect(places).toEqual(["\\x", "\\u", "\\U", "\\U", "\\t", "\\\\", "\\/", 'z"']);
  });
});

describe("locateJsonText", () => {
  it("finds values where the own reader of JSON does", () => {
    const json = fc
      .tuple(fc.jsonValue(), fc.constantFrom(0, 2, "\t"))
      .filter(([value]) => !hasOddKeys(value));
    fc.assert(
      fc.property(json, ([value, indent]) => {
        const text = JSON.stringify(value, null, indent);
        const { positions } = locateJson(text);
        const located = locateJsonText({ text, toFile: (position) => position });
        for (const path of pathsOf(value)) {
          const name = path.reduce<string>(
            (name, step) =>
              typeof step === "number" ? `${name}[${step}]` : name === "" ? step : `${name}.${step}`,
            "",
          );
          expect({ text, name, at: located.at(path) }).toEqual({ text, name, at: positions.get(name) });
        }
      }),
      { numRuns: 2000 },
    );
  });
});

/** Keys that make two paths look alike. */
function hasOddKeys(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return value.some(hasOddKeys);
  return Object.entries(value).some(([key, inner]) => !/^\w+$/.test(key) || hasOddKeys(inner));
}

function pathsOf(value: unknown, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== "object" || value === null) return [path];
  const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [path, ...entries.flatMap(([key, inner]) => pathsOf(inner, [...path, key]))];
}
