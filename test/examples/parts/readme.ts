import { readFileSync } from "node:fs";
import { join } from "node:path";
import { checkout } from "../../parts/tools.ts";

export const readme = readFileSync(join(checkout, "README.md"), "utf8");

/** What stands in fences of a language, each block as it could be pasted. */
export function blocksOf(language: "sh" | "json", text = readme): string[] {
  const fences = text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"));
  return [...fences].map(([, block = ""]) => block);
}

/** The one block of commands with these words; a README that lost them fails here. */
export function blockWith(words: string, text = readme): string {
  const found = blocksOf("sh", text).filter((block) => block.includes(words));
  if (found.length !== 1) throw new Error(`${found.length} blocks of commands have "${words}"`);
  return found[0] as string;
}

/** Single commands: the lines that begin with these words. */
export function linesWith(words: string, text = readme): string[] {
  const lines = blocksOf("sh", text).flatMap((block) => block.split("\n"));
  return lines.filter((line) => line.startsWith(words));
}
