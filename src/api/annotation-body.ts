import { fold } from "../text/fold.ts";
import { isObject, type JsonObject, JsonSyntaxError, locateJson } from "../text/json.ts";
import { AnnotationError } from "./annotation.ts";

/**
 * node-annotation's form: the inside of a JSON object, keys with or without quotes
 * (`ranges: [[{subnet: "172.16.5.0/24"}]]`). Data only: nothing in it is ever evaluated.
 */
export function parseAnnotationBody(text: string): JsonObject {
  if (text.trim() === "")
    throw new AnnotationError(1, 'the annotation is empty: expected ranges: [[{subnet: "10.1.2.0/24"}]]');
  try {
    return locateJson(`{${text}}`, { bareKeys: true }).value as JsonObject;
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    // The brace put before the text and counting from 1 make up for one another.
    const position = Math.min(Math.max(error.position, 1), text.length + 1);
    const hint = text.trimStart().startsWith("{") ? "; leave out the outer braces" : "";
    throw new AnnotationError(position, `expected ${error.message}${hint}`);
  }
}

/** host-local wants a list of lists: entries that stand alone (`ranges: [{subnet: …}, …]`) become a range set each. */
export function nestRanges(body: JsonObject): JsonObject {
  const { ranges } = body;
  if (!Array.isArray(ranges)) return body;
  return { ...body, ranges: ranges.map((entry) => (isObject(entry) ? [entry] : entry)) };
}

const flatKeys = ["subnet", "rangeStart", "rangeEnd", "gateway"];

/**
 * A body as host-local reads it: keys in any letter case, and the old flat form (`subnet: …`) as a range set before the
 * others. For the gating, which has to see every range that host-local would see.
 */
export function spellOutRanges(body: JsonObject): JsonObject {
  const { ranges, ...rest } = properKeys(body, ["ranges", ...flatKeys]);
  const flat = Object.fromEntries(flatKeys.flatMap((key) => (key in rest ? [[key, rest[key]]] : [])));
  const others = Object.fromEntries(Object.entries(rest).filter(([key]) => !flatKeys.includes(key)));
  const sets = Array.isArray(ranges) ? ranges.map(properSet) : [];
  const all = "subnet" in flat ? [[flat], ...sets] : sets;
  return all.length > 0 ? { ...others, ranges: all } : body;
}

function properSet(set: unknown): unknown {
  const proper = (range: unknown) => (isObject(range) ? properKeys(range, flatKeys) : range);
  return Array.isArray(set) ? set.map(proper) : set;
}

function properKeys(object: JsonObject, proper: string[]): JsonObject {
  const spell = (key: string) => proper.find((word) => fold(word) === fold(key)) ?? key;
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [spell(key), value]));
}
