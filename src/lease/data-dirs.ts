import { existsSync } from "node:fs";
import { listFolder, makePrivateFolder, readOwn, replaceFile } from "../host/files.ts";
import { defaultDataDir } from "./store.ts";

/** Names in it are no networks: those don't begin with a dot. */
const folder = `${defaultDataDir}/.kube-node/.data-dirs`;

/**
 * Notes at one place of the machine's that pools' addresses may be leased in a dataDir: a configuration that named it may be gone while
 * pods live, and the agent gives no block back before it has looked into every store. Throws where it can't be written.
 */
export function noteDataDir(dataDir: string | undefined): void {
  if (dataDir === undefined || dataDir === defaultDataDir) return;
  const name = encodeURIComponent(dataDir.toWellFormed());
  if (existsSync(`${folder}/${name}`)) return;
  makePrivateFolder(folder);
  replaceFile(folder, name, dataDir);
}

/** Every folder in which addresses of pools may be leased on this machine. `root` is where the machine's / is mounted. */
export function notedDataDirs(root = ""): string[] {
  const noted = listFolder(`${root}${folder}`).flatMap((name) => {
    if (name.startsWith(".")) return [];
    const text = readOwn(`${root}${folder}/${name}`)?.text;
    if (!text)
      throw new Error(`${folder}/${name} can't be read: which folder of leases it names isn't known`);
    return [text];
  });
  return [...new Set([defaultDataDir, ...noted])];
}
