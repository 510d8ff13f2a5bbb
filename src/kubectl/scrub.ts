import { isObject, type JsonObject } from "../text/json.ts";

/** What stands in the place of a secret. */
export const removed = "[removed]";

/** Keys whose values are secrets, whatever they look like; `tokenFile`, `certificate-authority` and other paths are not. */
const secretKey =
  /(?:^|[-_.]|[a-z](?=[A-Z]))(?:token|secret|password|passwd|pwd|credentials?|api[-_]?key|access[-_]?key|private[-_]?key|client[-_]?key[-_]?data|client[-_]?certificate[-_]?data|auth|authorization|bearer|psk|community)$/i;

const shapes: RegExp[] = [
  // PEM of anything but certificates is a key; certificates are left out as well, since nobody needs them here.
  /-----BEGIN [A-Z0-9 ]+-----[\s\S]*?(?:-----END [A-Z0-9 ]+-----|$)/g,
  // JSON Web Tokens, bearer tokens, user and password in a URL, the well-known shapes of clouds and forges.
  /\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g,
  /\b(?:Bearer|Basic)\s+[\w.~+/=-]{8,}/gi,
  /(?<=\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@"']+:[^\s/@"']+(?=@)/gi,
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
  /\bgh[pousr]_\w{20,}|\bglpat-[\w-]{16,}|\bxox[abp]-[\w-]{10,}/g,
  // Long base64 that no address, image or hash is: keys, certificates, kubeconfigs in base64.
  /(?<![\w+/:-])(?=[\w+/]*[A-Z])(?=[\w+/]*[a-z])(?=[\w+/]*\d)[\w+/]{64,}={0,2}/g,
];

/** `key: value` and `key = value` of a secret, as YAML, INI, shell and JSON inside of a text have it. */
const assignment = /^([ \t-]*["']?)([\w.-]+)(["']?[ \t]*[:=][ \t]*)(\S.*)$/gm;
const inlineJson = /(\\?["'])([\w.-]+)(\\?["']\s*:\s*\\?["'])((?:[^"'\\]|\\.)*)/g;

/** A text without what looks like a secret. Better too much than too little. */
export function scrubText(text: string): string {
  const shaped = shapes.reduce((rest, shape) => rest.replace(shape, removed), text);
  return shaped
    .replace(inlineJson, (all, open, key, mid) =>
      secretKey.test(key) ? `${open}${key}${mid}${removed}` : all,
    )
    .replace(assignment, (all, open, key, mid) =>
      secretKey.test(key) ? `${open}${key}${mid}${removed}` : all,
    );
}

/** The same for all that is in a value; a text that is JSON itself (an annotation, a CNI configuration) as such. */
export function scrub(value: unknown): unknown {
  if (typeof value === "string") return scrubNested(value);
  if (Array.isArray(value)) return value.map(scrub);
  return isObject(value) ? scrubObject(value) : value;
}

function scrubObject(object: JsonObject): JsonObject {
  const entries = Object.entries(object).map(([key, value]) => [
    key,
    secretKey.test(key) && !isEmpty(value) ? removed : scrub(value),
  ]);
  return Object.fromEntries(entries);
}

function scrubNested(text: string): string {
  if (!/^\s*[[{]/.test(text)) return scrubText(text);
  try {
    return JSON.stringify(scrub(JSON.parse(text)));
  } catch {
    return scrubText(text);
  }
}

function isEmpty(value: unknown): boolean {
  return value === null || value === "" || typeof value === "boolean";
}
