import { CniError, code } from "../cni/error.ts";
import { fold } from "../text/fold.ts";
import { isObject, kindOf } from "../text/json.ts";

/** What an object has by a key in any letter case. Throws a CniError where it has that twice: a delegate may take the other one. */
export function readKey(object: unknown, name: string, place: string): unknown {
  if (!isObject(object)) return undefined;
  const [key, second] = Object.keys(object).filter((one) => fold(one) === fold(name));
  if (key === undefined) return undefined;
  if (second === undefined) return object[key];
  throw new CniError(
    code.invalidConfig,
    `${place}.${name} stands there twice`,
    `found ${key} and ${second}: write it once`,
  );
}

/** The same, where it is as expected; null, "" and an empty list mean absent. */
export function readKeyAs<T>(
  object: unknown,
  name: string,
  place: string,
  isGood: (value: unknown) => value is T,
  expected: string,
): T | undefined {
  const value = readKey(object, name, place);
  if (value === undefined || value === null || value === "" || (Array.isArray(value) && value.length === 0))
    return undefined;
  if (isGood(value)) return value;
  const found = typeof value === "object" ? kindOf(value) : JSON.stringify(value).slice(0, 80);
  throw new CniError(
    code.invalidConfig,
    `${place}.${name} is malformed`,
    `expected ${expected}, found ${found}`,
  );
}
