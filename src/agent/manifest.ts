import { closeSync, fsyncSync, lstatSync, mkdirSync, openSync, renameSync } from "node:fs";
import { fileDigest, textDigest } from "../host/digest.ts";
import { readText, removeIfThere, writeAll } from "../host/files.ts";
import { isObject } from "../text/json.ts";
import { type AgentConfig, onHost } from "./config.ts";

/** What was installed on this host, by the host's names, and with which content: nothing else is ever changed or taken back. */
export type Manifest = {
  /** To be called before a file is written: whatever happens between, it is known as ours. */
  note(path: string, digest: string): void;
  /** "ours": as we wrote it. "changed": we wrote it, and somebody else after us. "foreign": it was never ours. */
  state(path: string): Promise<"absent" | "ours" | "changed" | "foreign">;
  forget(path: string): void;
  paths(): string[];
  /** Writes one of our small files, 0600, where it isn't so already. False where it was. */
  put(path: string, text: string): boolean;
};

/** How a file's name begins until it is whole, in whichever folder of the host's. */
export const newFile = ".kube-node.new-";

const version = 1;
const longestText = 16 << 20;
/** The content before the last writing, too: that may have been cut short. */
const digestsKept = 2;

export function ownFolder({ cniConfDir }: Pick<AgentConfig, "cniConfDir">): string {
  return `${cniConfDir}/kube-node.d`;
}

/** Throws where it is damaged, or of a later version of this program. */
export function openManifest(config: AgentConfig): Manifest {
  const folder = onHost(config, ownFolder(config));
  const files = read(`${folder}/installed.json`);
  const save = () => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    replaceSafely(`${folder}/installed.json`, `${JSON.stringify({ version, files }, undefined, 2)}\n`);
  };
  const manifest: Manifest = {
    note: (path, digest) => {
      const known = files[path] ?? [];
      if (known[0] === digest) return;
      files[path] = [digest, ...known.filter((other) => other !== digest)].slice(0, digestsKept);
      save();
    },
    state: async (path) => {
      const digest = await fileDigest(onHost(config, path));
      if (digest === undefined) return isThere(onHost(config, path)) ? "foreign" : "absent";
      const known = files[path];
      if (!known) return "foreign";
      return known.includes(digest) ? "ours" : "changed";
    },
    forget: (path) => {
      if (!(path in files)) return;
      delete files[path];
      if (Object.keys(files).length > 0) save();
      else removeIfThere(`${folder}/installed.json`);
    },
    paths: () => Object.keys(files),
    put: (path, text) => {
      const digest = textDigest(text);
      manifest.note(path, digest);
      if (readText(onHost(config, path), longestText) === text) return false;
      replaceSafely(onHost(config, path), text);
      return true;
    },
  };
  return manifest;
}

/**
 * On the disk before it has its name. Written in the very folder: containerd reads its configurations anew where something was written or
 * renamed in their folder, and not where something came in from another one.
 */
function replaceSafely(path: string, text: string): void {
  const temporary = path.replace(/[^/]*$/, `${newFile}${process.pid}-${Date.now()}`);
  try {
    const fd = openSync(temporary, "wx", 0o600);
    try {
      writeAll(fd, text);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (error) {
    removeIfThere(temporary);
    throw Object.assign(error as Error, { path }); // A failed write doesn't say itself where it was.
  }
}

/** A link that leads nowhere from here is somebody's, too. */
function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function read(path: string): Record<string, string[]> {
  const text = readText(path);
  if (text === undefined) return {};
  const document = parse(text);
  if (isObject(document) && typeof document["version"] === "number" && document["version"] > version)
    throw new Error(
      `${path} is of a later version of kube-node-agent (format ${document["version"]}, this one knows ${version}): nothing is changed here`,
    );
  const files = isObject(document) && document["version"] === version ? document["files"] : undefined;
  if (!isObject(files) || !Object.values(files).every(Array.isArray))
    throw new Error(`${path} is damaged: remove it if nothing of kube-node-agent's is to be kept track of`);
  return files as Record<string, string[]>;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
