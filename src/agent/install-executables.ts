import { execFile } from "node:child_process";
import { linkSync, renameSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { promisify } from "node:util";
import { fileDigest } from "../host/digest.ts";
import { removeIfThere } from "../host/files.ts";
import type { Log } from "../host/log.ts";
import { version as ownVersion } from "../host/version.ts";
import { seeOldDaemon } from "../upkeep/old-daemon.ts";
import { type AgentConfig, onHost } from "./config.ts";
import { copyExecutable } from "./copy-executable.ts";
import { type Manifest, newFile } from "./manifest.ts";
import { isLater } from "./version-order.ts";

/** The plugins' names: one file, with a name each. */
function namesFor({ nvIpam }: AgentConfig): string[] {
  return ["kube-node", "node-annotation", ...(nvIpam ? ["nv-ipam"] : [])];
}

/** What another project's program is kept by, where it was told to make room. */
export const keptName = (path: string) => `${path}.before-kube-node`;

/** `waits`: not all of it could be done yet, and will be. */
export type Installed = { words: string; waits: boolean };

/** What there is to do for a name, and why nothing is. */
type Verdict = { act: "write" | "leave" | "keep"; words: string };

/**
 * Puts this very executable into the host's folder of CNI plugins, unless it is there, or a later one is. Each name gets its file in one step,
 * so that a pod that starts meanwhile gets the old one or the new one, and a running plugin keeps its own. Gives what is to be said; throws
 * where it can't be done, or where a program that isn't ours has the name.
 */
export async function installExecutables(
  config: AgentConfig,
  manifest: Manifest,
  log: Log,
): Promise<Installed> {
  if (!("Bun" in globalThis))
    throw new Error("only the compiled kube-node-agent can install itself: these are its sources");
  const folder = onHost(config, config.cniBinDir);
  const own = (await fileDigest(process.execPath)) ?? "";
  const said: string[] = [];
  let fresh: string | undefined;
  let waits = false;
  try {
    for (const name of namesFor(config)) {
      const path = `${folder}/${name}`;
      if ((await fileDigest(path)) === own) continue;
      const { act, words } = await judge(path, config.force);
      const keep = act === "keep" ? await mayReplace(path) : undefined;
      if ((keep ?? words) !== "") said.push(keep ?? words);
      waits ||= keep !== undefined;
      if (act === "leave" || keep !== undefined) continue;
      fresh ??= await prepare(folder, own);
      manifest.note(`${config.cniBinDir}/${name}`, own);
      if (act === "keep") keepAside(path);
      give(fresh, path);
      log.info("installed", { file: `${config.cniBinDir}/${name}`, version: ownVersion, replaced: words });
    }
  } finally {
    if (fresh !== undefined) removeIfThere(fresh);
  }
  return { words: said.join("; "), waits };
}

/** nv-ipam's own program makes room when its daemon has ended: until then it is the one that knows what is leased. In words, why not yet. */
async function mayReplace(path: string): Promise<string | undefined> {
  const seen = await seeOldDaemon();
  return seen === undefined
    ? undefined
    : `${path} stays nv-ipam's own while its daemon is at work: ${seen}; delete its DaemonSet`;
}

function keepAside(path: string): void {
  removeIfThere(keptName(path));
  linkSync(path, keptName(path));
}

/** Whether the names hold the files that they held when this was last called with the same: cheap, for every minute. */
export function executablesMark(config: AgentConfig): string {
  return namesFor(config)
    .map((name) => {
      const stat = statSync(onHost(config, `${config.cniBinDir}/${name}`), { throwIfNoEntry: false });
      return stat ? `${stat.ino} ${stat.size} ${stat.mtimeMs}` : "absent";
    })
    .join(", ");
}

async function judge(path: string, force: boolean): Promise<Verdict> {
  if (!statSync(path, { throwIfNoEntry: false })) return { act: "write", words: "" };
  const there = await versionOf(path);
  if (there === undefined && path.endsWith("/nv-ipam")) return { act: "keep", words: "nv-ipam's own" };
  if (there === undefined && !force)
    throw new Error(`${path} is another program than this project's: --force replaces it`);
  if (there !== undefined && isLater(there, ownVersion) && !force)
    return { act: "leave", words: `${path} is of the later version ${there} and stays: --force replaces it` };
  return { act: "write", words: there === undefined ? "another program" : `version ${there}` };
}

/** A copy beside its place, that has our bytes and runs. */
async function prepare(folder: string, digest: string): Promise<string> {
  const path = `${folder}/${newFile}${process.pid}-${Date.now()}`;
  try {
    await copyExecutable(process.execPath, path);
    await flush(path, 0o755);
    if ((await fileDigest(path)) !== digest)
      throw new Error(`${path} has other bytes than were written to it`);
    const version = await versionOf(path);
    if (version !== ownVersion) throw new Error(`${path} does not run here: is ${folder} mounted noexec?`);
    return path;
  } catch (error) {
    removeIfThere(path);
    throw error;
  }
}

/** Its bytes are on the disk before its name is: a machine that loses power has the old file or the new one. */
async function flush(path: string, mode: number): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.chmod(mode);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** One more name for a file, in the place of whatever has it now. */
function give(file: string, path: string): void {
  const link = `${file}-link`;
  linkSync(file, link);
  renameSync(link, path);
  removeIfThere(link);
}

/** What it says of itself by `-version`; undefined where that isn't what ours say. */
async function versionOf(path: string): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(path, ["-version"], { env: {}, timeout: 10_000 });
    return /^(?:kube-node|node-annotation) (\S+)$/.exec(stdout.trim())?.[1];
  } catch {
    return undefined;
  }
}
