import { statSync } from "node:fs";
import { type CniVersion, isVersion, newest } from "../cni/versions.ts";
import { readOwn, replaceFile } from "../host/files.ts";

/** Every release of host-local speaks the versions before the newest: only for this one there is something to remember. */
const neededFor: CniVersion = newest;

/** What was agreed on before with this very file; a newer release in its place is asked anew. */
export function rememberedVersion(folder: string, path: string, asked: CniVersion): CniVersion | undefined {
  if (asked !== neededFor) return undefined;
  const [key, spoken] = readOwn(`${folder}/${fileName(path)}`)?.text.split("\n") ?? [];
  return key !== undefined && isVersion(spoken) && key === keyOf(path) ? spoken : undefined;
}

export function rememberVersion(folder: string, path: string, asked: CniVersion, spoken: CniVersion): void {
  if (asked !== neededFor) return;
  try {
    replaceFile(folder, fileName(path), `${keyOf(path)}\n${spoken}\n`);
  } catch {
    // Asking once more next time is all that is lost.
  }
}

function fileName(path: string): string {
  return `version-${path.slice(path.lastIndexOf("/") + 1)}`;
}

function keyOf(path: string): string {
  const { mtimeMs, size, ino } = statSync(path);
  return `${path} ${ino} ${size} ${mtimeMs}`;
}
