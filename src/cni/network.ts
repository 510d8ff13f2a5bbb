import { fold } from "../text/fold.ts";
import {
  deepest,
  isObject,
  type JsonObject,
  JsonSyntaxError,
  kindOf,
  lineAndColumn,
  parseJson,
} from "../text/json.ts";
import { quote } from "../text/quote.ts";
import { identifier } from "./environment.ts";
import { CniError, code } from "./error.ts";
import { type CniVersion, isVersion, versions } from "./versions.ts";

/** A network configuration from standard input; `raw` is all of it, as it came. */
export type Network = { name: string; cniVersion: CniVersion; raw: JsonObject };

/** Errors: 6 not JSON, 1 a version nobody speaks, 7 a name that is malformed, or missing unless it may be `nameless`. */
export function parseNetwork(text: string, { nameless = false } = {}): Network {
  const raw = parseDocument(text);
  const cniVersion = readVersion(raw);
  refuseOtherSpellings(raw);
  const name = raw["name"] ?? (nameless ? "nameless" : undefined);
  if (typeof name !== "string" || name === "") {
    const found = name === "" ? "an empty one" : kindOf(name);
    throw new CniError(
      code.invalidConfig,
      "network configuration without a name",
      `name: expected a string, found ${found}`,
    );
  }
  if (!identifier.test(name)) {
    const expected = "name: expected letters, digits, '_', '.' and '-', the first a letter or a digit";
    throw new CniError(code.invalidConfig, `network name is malformed: ${quote(name)}`, expected);
  }
  return { name, cniVersion, raw };
}

function parseDocument(text: string): JsonObject {
  if (text.trim() === "") {
    throw new CniError(code.decoding, "no network configuration on standard input", "expected a JSON object");
  }
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    const where = error instanceof JsonSyntaxError ? lineAndColumn(text, error.position) : "somewhere";
    const expected = error instanceof JsonSyntaxError ? error.message : "JSON";
    throw new CniError(code.decoding, "network configuration is not JSON", `${where}: expected ${expected}`);
  }
  if (!isNestedWithin(value, deepest)) {
    const expected = `expected at most ${deepest} brackets inside one another`;
    throw new CniError(code.decoding, "network configuration is nested too deeply", expected);
  }
  if (isObject(value)) return value;
  throw new CniError(code.decoding, "network configuration is no JSON object", `found ${kindOf(value)}`);
}

/** What is nested deeper would end the writing of it, in the middle of a call. */
function isNestedWithin(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  return depth > 0 && Object.values(value).every((inner) => isNestedWithin(inner, depth - 1));
}

/** The version a configuration asks for; the specification has 0.1.0 where it says none. */
export function readVersion(raw: JsonObject): CniVersion {
  const asked = raw["cniVersion"] ?? "0.1.0";
  const version = asked === "" ? "0.1.0" : asked;
  if (isVersion(version)) return version;
  const shown = typeof version === "string" ? quote(version) : kindOf(version);
  const spoken = `cniVersion: expected one of ${versions.join(", ")}`;
  throw new CniError(code.incompatibleVersion, `incompatible CNI version: ${shown}`, spoken);
}

const read = ["name", "cniVersion", "ipam", "args", "runtimeConfig"];

/** Delegates written in Go read keys in any letter case: `IPAM` beside `ipam` would speak past us to the delegate. */
function refuseOtherSpellings(raw: JsonObject): void {
  for (const key of Object.keys(raw)) {
    const meant = read.find((word) => word !== key && fold(word) === fold(key));
    if (meant === undefined) continue;
    throw new CniError(code.invalidConfig, `unexpected key ${quote(key)}`, `write it "${meant}"`);
  }
}
