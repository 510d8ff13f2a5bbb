import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { giveEntry } from "../scripts/give-entry.ts";
import { checkout } from "../test/parts/tools.ts";

/** The flags that scripts/executables.sh compiles with: what is measured here is built as what is released. */
export function releaseFlags(): string[] {
  const script = readFileSync(join(checkout, "scripts/executables.sh"), "utf8");
  const call = /bun build ([\s\S]*?)"\$\{options\[@\]\}"/.exec(script)?.[1];
  if (call === undefined) throw new Error("scripts/executables.sh: no call of bun build was found");
  const flags = call.split(/[\s\\]+/).filter((word) => word.startsWith("--") && word !== "--define");
  return [...flags, "--define", 'KUBE_NODE_VERSION="benchmark"'];
}

export async function compile(
  source: string,
  outfile: string,
  { flags = releaseFlags(), cwd = checkout, entry = true } = {},
): Promise<string> {
  await execa("bun", ["build", ...flags, source, "--outfile", outfile], { cwd });
  if (entry) writeFileSync(outfile, giveEntry(readFileSync(outfile)));
  return outfile;
}
