// node scripts/arrange-sources.ts FOLDER: a copy of the sources as they are compiled, with all that every call loads in one chunk
// (decision 22). A bundler that splits puts together what the same entries need: so each module that is loaded by need is made to need
// the hot path, too, which is there by then anyway.
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

const checkout = join(import.meta.dirname, "..");
const entry = "bin/executable.ts";
const hotPath = "src/plugin/main.ts";

const needed = /^(?:import|export) (?!type )[^;]*?from "(\.{1,2}\/[^"]+)"/gm;
const neededLater = /\bimport\("(\.{1,2}\/[^"]+)"\)/g;

/** `folder` is made, with node_modules as a link to the checkout's. */
export function arrangeSources(folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const name of ["bin", "src", "package.json", "tsconfig.json"])
    cpSync(join(checkout, name), join(folder, name), { recursive: true });
  symlinkSync(join(checkout, "node_modules"), join(folder, "node_modules"));
  for (const file of loadedLater()) {
    const path = join(folder, file);
    const words = relative(dirname(file), hotPath).replace(/^(?!\.)/, "./");
    writeFileSync(path, `import "${words}";${readFileSync(path, "utf8")}`);
  }
}

/** Modules of ours that are only loaded by need. */
function loadedLater(): string[] {
  const hot = reach(hotPath, needed);
  const later = [...reach(entry, needed, neededLater)].flatMap((file) => importsOf(file, neededLater));
  return [...new Set(later)].filter((file) => !hot.has(file));
}

function reach(from: string, ...kinds: RegExp[]): Set<string> {
  const found = new Set([from]);
  for (const file of found) for (const kind of kinds) for (const one of importsOf(file, kind)) found.add(one);
  return found;
}

function importsOf(file: string, kind: RegExp): string[] {
  const text = readFileSync(join(checkout, file), "utf8");
  return [...text.matchAll(kind)].map(([, path]) => join(dirname(file), path as string));
}

if (import.meta.main) arrangeSources(process.argv[2] as string);
