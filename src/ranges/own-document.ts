import { readOwn } from "../host/files.ts";
import { isObject, type JsonObject } from "../text/json.ts";

/** The JSON object in a file of ours; undefined where there is none, or a power cut has damaged it: the API server is asked instead. */
export function readOwnDocument(path: string): JsonObject | undefined {
  const text = readOwn(path)?.text;
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
