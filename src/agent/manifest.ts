import { closeSync, fsyncSync, lstatSync, mkdirSync, openSync, renameSync } from "node:fs";
import { fileDigest, textDigest } from "../host/digest.ts";
import { readText, removeIfThere, writeTemporary } from "../host/files.ts";
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
    replaceSafely(
      folder,
      `${folder}/installed.json`,
      `${JSON.stringify({ version, files }, undefined, 2)}\n`,
    );
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
      replaceSafely(folder, onHost(config, path), text);
      return true;
    },
  };
  return manifest;
}

/** Written in our own folder, where a killed one's is found, and on the disk before it has its name. */
function replaceSafely(folder: string, path: string, text: string): void {
  const temporary = writeTemporary(folder, text);
  try {
    flush(temporary);
    renameSync(temporary, path);
  } catch (error) {
    removeIfThere(temporary);
    throw error;
  }
}

function flush(path: string): void {
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
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
