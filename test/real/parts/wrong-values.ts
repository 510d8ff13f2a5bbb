import type { StructuralSchema } from "../../../src/api/structural-schema.ts";
import { isObject, type JsonObject } from "../../../src/text/json.ts";

/** A good value that is wrong in one way, and a part of what the API server says of it. */
export type Wrong = { words: string; value: JsonObject; says: string };

type One = { words: string; value: unknown; says: string };

/** `good`, which has every field that its schema knows, wrong in every way that the schema knows. */
export function wrongsOf(schema: StructuralSchema, good: JsonObject, path: string): Wrong[] {
  return wrongValues(schema, good, path) as Wrong[];
}

function wrongValues(schema: StructuralSchema, good: unknown, path: string): One[] {
  const own = [...wrongTypes(schema, path), ...outOfBounds(schema, good, path)];
  if (isObject(good) && schema.properties) return [...own, ...wrongFields(schema, good, path)];
  if (Array.isArray(good) && schema.items)
    return [
      ...own,
      ...wrongValues(schema.items, good[0], `${path}[0]`).map((one) => ({
        ...one,
        value: [one.value, ...good.slice(1)],
      })),
    ];
  return own;
}

function wrongFields(schema: StructuralSchema, good: JsonObject, path: string): One[] {
  const { properties = {}, required = [] } = schema;
  const missing = Object.keys(properties).filter((key) => !(key in good));
  if (missing.length > 0) throw new Error(`${path} of the good value has no ${missing.join(", ")}`);
  return [
    ...Object.entries(properties).flatMap(([key, inner]) =>
      wrongValues(inner, good[key], `${path}.${key}`).map((one) => ({
        ...one,
        value: { ...good, [key]: one.value },
      })),
    ),
    ...required.map((key) => {
      const { [key]: _, ...value } = good;
      return { words: `${path} without ${key}`, value, says: `${key}: Required value` };
    }),
    { words: `${path} with more`, value: { ...good, more: 1 }, says: `unknown field "${path}.more"` },
  ];
}

const others: Record<string, unknown[]> = {
  string: [7, true, {}],
  integer: ["7", 0.5, true],
  boolean: ["true", 1],
  array: ["x", {}],
  object: ["x", []],
};

function wrongTypes({ type, format }: StructuralSchema, path: string): One[] {
  const wrong = (value: unknown, says: string) => ({
    words: `${path} is ${JSON.stringify(value)}`,
    value,
    says,
  });
  const mustBe = `in body must be of type ${format === "date-time" ? format : type}`;
  const times = format === "date-time" ? [wrong("yesterday", mustBe)] : [];
  return [...(others[type] ?? []).map((value) => wrong(value, mustBe)), ...times];
}

/** Beyond each bound by one; a text of no pattern and a word of no list. */
function outOfBounds(schema: StructuralSchema, good: unknown, path: string): One[] {
  const bound = (key: string, make: (bound: number) => unknown, says: string): One[] => {
    const value = schema[key];
    return typeof value === "number"
      ? [{ words: `${path} beyond its ${key}`, value: make(value), says }]
      : [];
  };
  const isWhole = (value: number) => Number.isSafeInteger(value);
  return [
    ...bound("minimum", (min) => min - 1, "should be greater than or equal to").filter(({ value }) =>
      isWhole(value as number),
    ),
    ...bound("maximum", (max) => max + 1, "should be less than or equal to").filter(({ value }) =>
      isWhole(value as number),
    ),
    ...bound("maxLength", (max) => "x".repeat(max + 1), "may not be more than"),
    ...bound("minLength", (min) => "x".repeat(min - 1), "should be at least"),
    ...bound("maxItems", (max) => Array(max + 1).fill((good as unknown[])[0]), "must have at most"),
    ...bound("minItems", (min) => Array(min - 1).fill((good as unknown[])[0]), "should have at least"),
    ...("pattern" in schema ? [{ words: `${path} of no pattern`, value: "\t?", says: "should match" }] : []),
    ...("enum" in schema
      ? [{ words: `${path} is no word of its`, value: "Else", says: "Unsupported value" }]
      : []),
  ];
}
