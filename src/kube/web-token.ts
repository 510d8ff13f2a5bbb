import { isObject, type JsonObject } from "../text/json.ts";

/** The claims of a JSON Web Token, unverified; undefined where it is none. */
export function readClaims(token: string): JsonObject | undefined {
  const parts = token.split(".");
  if (parts.length !== 3) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(parts[1] as string, "base64url").toString("utf8"));
    return isObject(claims) ? claims : undefined;
  } catch {
    return undefined;
  }
}
