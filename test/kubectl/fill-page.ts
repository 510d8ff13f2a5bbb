import { readFileSync } from "node:fs";
import { delimiter, dirname } from "node:path";
import { executables } from "../parts/plugin.ts";
import type { Answer, Site } from "./kubectl.ts";

/** Words behind `kubectl`, as somebody types them: kubectl itself finds our programs in its PATH. */
export function typeAt(site: Site, kubectl: string | undefined, env: Record<string, string> = {}) {
  const programs = dirname(executables()[0]?.command("kubectl-kube_node")[0] ?? "");
  const PATH = [programs, "/usr/bin", "/bin"].join(delimiter);
  return (words: string): Promise<Answer> =>
    site.run(words, { program: [kubectl ?? ""], env: { PATH, ...env } });
}

/** A page in parts: console blocks (`blocks` of them, with `commands` in all) hold what their commands print now. */
export type FilledPage = { parts: string[]; blocks: number; commands: number };

/** `show` gives what is shown below each `$ kubectl …`; `settle` takes out of a block what differs from run to run. */
export async function fillPage(
  page: string,
  show: (words: string) => Promise<string[]>,
  settle: (text: string) => string = (text) => text,
): Promise<FilledPage> {
  const parts = readFileSync(page, "utf8").split(/^(```console\n[\s\S]*?^```\n)/m);
  let [blocks, commands] = [0, 0];
  for (const [index, part] of parts.entries()) {
    if (!part.startsWith("```console\n")) continue;
    blocks++;
    const shown: string[] = [];
    for (const [, words = ""] of part.matchAll(/^\$ kubectl (.*)$/gm)) {
      commands++;
      shown.push(`$ kubectl ${words}`, ...(await show(words)).filter((text) => text !== ""));
    }
    parts[index] = `\`\`\`console\n${settle(shown.join("\n"))}\n\`\`\`\n`;
  }
  return { parts, blocks, commands };
}
