import { CniError, code } from "../cni/error.ts";
import { isObject, type JsonObject, kindOf } from "../text/json.ts";

/** A mapping in a kubeconfig and where it stands: `path` is its key path (`users[0].user`), "" for the whole file. */
export type Section = { file: string; path: string; values: JsonObject };

/** What is wrong at a key, never with its value: that may be a secret. */
export function complain(section: Section, key: string, problem: string, remedy = ""): CniError {
  return new CniError(code.invalidConfig, `${section.file}: ${join(section.path, key)}${problem}`, remedy);
}

/** Undefined where the key is absent, null or "", as client-go has it. */
export function textAt(section: Section, key: string): string | undefined {
  const value = valueAt(section, key);
  if (value === undefined || value === "") return undefined;
  return typeof value === "string" ? value : fail(section, key, "a string", value);
}

export function flagAt(section: Section, key: string): boolean {
  const value = valueAt(section, key) ?? false;
  return typeof value === "boolean" ? value : fail(section, key, "true or false", value);
}

export function sectionAt(section: Section, key: string): Section | undefined {
  const value = valueAt(section, key);
  if (value === undefined) return undefined;
  if (!isObject(value)) return fail(section, key, "a mapping", value);
  return { file: section.file, path: join(section.path, key), values: value };
}

export function sectionsAt(section: Section, key: string): Section[] {
  return listAt(section, key).map((value, index) => {
    const item = `${key}[${index}]`;
    if (!isObject(value)) return fail(section, item, "a mapping", value);
    return { file: section.file, path: join(section.path, item), values: value };
  });
}

export function textsAt(section: Section, key: string): string[] {
  return listAt(section, key).map((value, index) =>
    typeof value === "string" ? value : fail(section, `${key}[${index}]`, "a string", value),
  );
}

/** A path written in a kubeconfig is relative to the kubeconfig's own folder. */
export function resolvePath(section: Section, path: string): string {
  if (isAbsolute(path)) return path;
  const separators = process.platform === "win32" ? /[^/\\]*$/ : /[^/]*$/;
  return `${section.file.replace(separators, "")}${path}`;
}

function isAbsolute(path: string): boolean {
  return path.startsWith("/") || (process.platform === "win32" && /^([a-z]:)?[\\/]/i.test(path));
}

function listAt(section: Section, key: string): unknown[] {
  const value = valueAt(section, key) ?? [];
  return Array.isArray(value) ? value : fail(section, key, "a list", value);
}

function valueAt(section: Section, key: string): unknown {
  return Object.hasOwn(section.values, key) ? (section.values[key] ?? undefined) : undefined;
}

function fail(section: Section, key: string, expected: string, found: unknown): never {
  const remedy = expected === "a string" && !(found instanceof Object) ? "put it in quotes" : "";
  throw complain(section, key, `: expected ${expected}, found ${kindOf(found)}`, remedy);
}

function join(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}
