import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { parse } from "yaml";
import { checkout } from "../../parts/tools.ts";

/** A plugin's configuration as a runtime sends it, less what it adds. */
export type Config = {
  name: string;
  cniVersion: string;
  type: string;
  ipam?: { type: string } & Record<string, unknown>;
  capabilities?: Record<string, boolean>;
} & Record<string, unknown>;

const folder = join(checkout, "examples");

/** Folders of examples that have a test of their own. */
const elsewhere = ["controller", "demo", "agent", "helm", "krew", "monitoring", "pools"];

/** Every other example, by its path below examples/. */
export function exampleFiles(): string[] {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return files
    .filter(
      (file) =>
        !elsewhere.includes(file.split("/")[0] ?? "") && extname(file) !== "" && !file.endsWith(".md"),
    )
    .sort();
}

export function pathOf(file: string): string {
  return join(folder, file);
}

export function readExample(file: string): string {
  return readFileSync(pathOf(file), "utf8");
}

/** The plugins of a list or of a NetworkAttachmentDefinition, in their order; none where it is another document. */
export function pluginsOf(file: string): Config[] {
  if (file.endsWith(".conflist")) {
    const { name, cniVersion, plugins } = JSON.parse(readExample(file)) as Config & { plugins: Config[] };
    return plugins.map((plugin) => ({ ...plugin, name, cniVersion }));
  }
  const document = parse(readExample(file).split("\n---\n")[0] ?? "") as {
    kind?: string;
    spec?: { config?: string };
  } | null;
  return document?.kind === "NetworkAttachmentDefinition"
    ? [JSON.parse(document.spec?.config ?? "") as Config]
    : [];
}
