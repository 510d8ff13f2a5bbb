import { quote } from "./quote.ts";

/** Where a JSON text stops making sense. `position` counts characters from 0. */
export class JsonSyntaxError extends Error {
  readonly position: number;

  constructor(position: number, expected: string) {
    super(expected);
    this.name = "JsonSyntaxError";
    this.position = position;
  }
}

/** Both map a key path (`ranges[0][0].subnet`, "" for the whole): `positions` to where its value begins, `keys` to its key. */
export type LocatedJson = { value: unknown; positions: Map<string, number>; keys: Map<string, number> };

/** Brackets inside one another: people need a handful, and recursion has an end. */
export const deepest = 64;
const blank = /[\t\n\r ]*/y;
const bareKey = /[A-Za-z_$][\w$]*/y;
const plainText = /[^"\\\u0000-\u001f]*/y;
const escaped = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const word = /true|false|null/y;

/** JSON to a value with the position of everything in it. With `bareKeys`, keys may stand without quotes, as jq has them. */
export function locateJson(text: string, { bareKeys = false } = {}): LocatedJson {
  const positions = new Map<string, number>();
  const keys = new Map<string, number>();
  let at = 0;

  function fail(expected: string): never {
    throw new JsonSyntaxError(at, expected);
  }
  function match(pattern: RegExp): string | undefined {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  }
  function take(mark: string): boolean {
    match(blank);
    if (text[at] !== mark) return false;
    at++;
    match(blank);
    return true;
  }
  function quoted(): string | undefined {
    const start = at;
    if (text[at] !== '"') return undefined;
    at++;
    do match(plainText);
    while (match(escaped) !== undefined);
    if (text[at] === '"') return JSON.parse(text.slice(start, ++at)) as string;
    at = start;
    return undefined;
  }
  function key(): string {
    const found = (bareKeys ? match(bareKey) : undefined) ?? quoted();
    return found ?? fail(bareKeys ? "a key" : "a key in double quotes");
  }
  function object(path: string, depth: number): object {
    const members: [string, unknown][] = [];
    if (take("}")) return {};
    do {
      const start = at;
      const name = key();
      const inner = path === "" ? name : `${path}.${name}`;
      keys.set(inner, start);
      if (!take(":")) fail(`":" after the key ${quote(name)}`);
      members.push([name, value(inner, depth)]);
    } while (take(","));
    if (!take("}")) fail('"," or "}"');
    return Object.fromEntries(members);
  }
  function array(path: string, depth: number): unknown[] {
    const items: unknown[] = [];
    if (take("]")) return items;
    do items.push(value(`${path}[${items.length}]`, depth));
    while (take(","));
    if (!take("]")) fail('"," or "]"');
    return items;
  }
  function value(path: string, depth: number): unknown {
    match(blank);
    positions.set(path, at);
    if (depth > deepest) fail(`at most ${deepest} brackets inside one another`);
    if (take("{")) return object(path, depth + 1);
    if (take("[")) return array(path, depth + 1);
    const string = quoted();
    if (string !== undefined) return string;
    const scalar = match(number) ?? match(word);
    return scalar === undefined
      ? fail("a value: an object, an array, a string, a number, true, false or null")
      : JSON.parse(scalar);
  }

  const whole = value("", 0);
  match(blank);
  if (at < text.length) fail("the end");
  return { value: whole, positions, keys };
}

/** JSON.parse, but with a position and what was expected where the text is malformed. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    locateJson(text);
    throw error;
  }
}

/** "line 3, column 7" of a position, both counted from 1. */
export function lineAndColumn(text: string, position: number): string {
  const before = text.slice(0, position).split("\n");
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}

export type JsonObject = { [key: string]: unknown };

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What a value is, in words for an error: "a string", "an array", "nothing". */
export function kindOf(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
