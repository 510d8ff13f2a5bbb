import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { NodeFile } from "../move/read-hand-ranges.ts";
import { UsageError } from "./usage-error.ts";

const endings = /\.(conflist|conf|json)$/;

/** CNI configurations of many nodes: of a folder, those in its subfolders, which are called like the nodes; of a file, its folder is. */
export function readNodeFiles(paths: readonly string[]): NodeFile[] {
  const files = paths.flatMap((path) => (isFolder(path) ? filesOf(path) : [fileAt(path)]));
  if (files.length === 0)
    throw new UsageError(
      `${paths.join(", ")}: no *.conflist, *.conf or *.json there: expected FOLDER/NODE/*.conflist`,
    );
  return files;
}

function isFolder(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) throw new UsageError(`${path}: no such file or folder`);
  return stat.isDirectory();
}

function filesOf(folder: string): NodeFile[] {
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (isFolder(path))
      return readdirSync(path)
        .filter((name) => endings.test(name))
        .sort()
        .map((name) => fileAt(join(path, name)));
    return endings.test(entry.name) ? [fileAt(path)] : [];
  });
}

function fileAt(path: string): NodeFile {
  return { node: basename(dirname(resolve(path))), path, text: readFileSync(path, "utf8") };
}
