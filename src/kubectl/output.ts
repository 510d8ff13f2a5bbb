import { Option } from "commander";

export const apiVersion = "kube-node.io/v1";

/** -o of commands that show things. A table is for people; JSON and YAML have a shape that stays. */
export type OutputFormat = "table" | "wide" | "json" | "yaml" | "name";

export function outputOption(
  formats: readonly OutputFormat[] = ["table", "wide", "json", "yaml", "name"],
): Option {
  return new Option("-o, --output <format>", "how to show it").choices(formats).default("table");
}

/** `{apiVersion, kind, items}` as JSON or YAML text. */
export async function formatList(
  kind: string,
  items: readonly object[],
  format: "json" | "yaml",
): Promise<string> {
  return await formatDocument({ apiVersion, kind, items }, format);
}

export async function formatDocument(document: object, format: "json" | "yaml"): Promise<string> {
  if (format === "json") return JSON.stringify(document, null, 2);
  const { stringify } = await import("yaml");
  return stringify(document, { aliasDuplicateObjects: false }).trimEnd();
}
