import { createHash } from "node:crypto";
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { delimiter, join } from "node:path";
import { execaSync } from "execa";
import { versionOfHostLocal } from "./host-local-version.ts";
import { runFolder } from "./run-folder.ts";

/** What a test may need: `missing` says what isn't here, in words that fit behind "skipped without". */
export type Requirement = { missing?: string };
export type Tool = { path: string; missing?: never } | { path?: never; missing: string };

/** A host-local to run tests on. `folder` is a CNI_PATH: this host-local, and the main plugins that were found. */
export type HostLocal = { label: string; path: string; folder: string };

export const checkout = join(import.meta.dirname, "../..");
const goTools = join(checkout, "_output/tools");

/** For `it.skipIf(lack.some)(`does this${lack.words}`, …)`: what of it isn't here, with the reason for the test's name. */
export function whatLacks(...requirements: Requirement[]): { some: boolean; words: string } {
  const missing = requirements.flatMap(({ missing }) => missing ?? []);
  return {
    some: missing.length > 0,
    words: missing.length > 0 ? ` (skipped without ${missing.join(", ")})` : "",
  };
}

/** Every host-local in $CNI_PATH, the usual folders and _output/tools, each once, however often it was copied. */
export function hostLocals(): HostLocal[] {
  const found = new Map<string, string>();
  for (const folder of [...cniFolders(), goTools]) {
    const path = join(folder, "host-local");
    if (!isProgram(path)) continue;
    const hash = createHash("sha256").update(readFileSync(path)).digest("hex");
    if (!found.has(hash)) found.set(hash, path);
  }
  const labels = new Map<string, number>();
  return [...found].map(([hash, path]) => {
    const version = versionOfHostLocal(path);
    const count = (labels.get(version) ?? 0) + 1;
    labels.set(version, count);
    const label = count === 1 ? version : `${version} (${count})`;
    return { label, path, folder: prepareCniPath(hash.slice(0, 12), path) };
  });
}

/** The folder of bridge, ptp, macvlan, ipvlan and loopback as a distribution or a release has them. */
export function mainPlugins(): Tool {
  const folder = cniFolders().find((folder) => isProgram(join(folder, "bridge")));
  return folder === undefined
    ? { missing: "the main CNI plugins (package containernetworking-plugins)" }
    : { path: folder };
}

/** libcni's own client, as `./build.sh test` builds it with Go. */
export function cnitool(): Tool {
  return firstProgram([join(goTools, "cnitool"), ...inPath("cnitool")], "cnitool (needs Go)");
}

/** Helm, as `./build.sh test` builds it with Go. */
export function helm(): Tool {
  return firstProgram([join(goTools, "helm"), ...inPath("helm")], "helm (needs Go)");
}

export function kubectl(): Tool {
  const assets = process.env["KUBEBUILDER_ASSETS"];
  return firstProgram([...(assets ? [join(assets, "kubectl")] : []), ...inPath("kubectl")], "kubectl");
}

export function go(): Tool {
  return firstProgram(inPath("go"), "Go");
}

/** strace, if it may really trace here: containers often forbid it. */
export function strace(): Tool {
  const tool = firstProgram(inPath("strace"), "strace");
  if (tool.path === undefined) return tool;
  const tried = execaSync(tool.path, ["-f", "-o", "/dev/null", "true"], { reject: false });
  return tried.exitCode === 0 ? tool : { missing: "the right to trace" };
}

/** The folder with the program `cluster`, which brings up a real cluster on this machine: $CLUSTER_TOOLS. */
export function clusterTools(): Tool {
  const folder = process.env["CLUSTER_TOOLS"];
  if (!folder) return { missing: "CLUSTER_TOOLS" };
  return isProgram(join(folder, "cluster"))
    ? { path: folder }
    : { missing: "the program cluster in CLUSTER_TOOLS" };
}

export function root(): Requirement {
  return process.getuid?.() === 0 ? {} : { missing: "root" };
}

/** Whether network namespaces can be made, tried by making one. */
export function namespaces(): Requirement {
  if (root().missing) return root();
  const ip = firstProgram(inPath("ip"), "ip (package iproute2)");
  if (ip.path === undefined) return ip;
  const name = `kn-probe-${process.pid}`;
  const tried = execaSync(ip.path, ["netns", "add", name], { reject: false });
  if (tried.exitCode === 0) execaSync(ip.path, ["netns", "del", name], { reject: false });
  return tried.exitCode === 0 ? {} : { missing: "the right to make network namespaces" };
}

/** The places of `name` in PATH, and in the folders that an ordinary user's PATH leaves out. */
export function inPath(name: string): string[] {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  return folders.filter(Boolean).map((folder) => join(folder, name));
}

export function firstProgram(candidates: string[], missing: string): Tool {
  const path = candidates.find(isProgram);
  return path === undefined ? { missing } : { path };
}

function cniFolders(): string[] {
  const given = (process.env["CNI_PATH"] ?? "").split(delimiter).filter(Boolean);
  return [...given, "/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni"];
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** A folder of links, made whole and then named, since several test files may want it at once. */
function prepareCniPath(name: string, hostLocal: string): string {
  const folder = join(runFolder(), "cni-path", name);
  if (existsSync(folder)) return folder;
  mkdirSync(join(runFolder(), "cni-path"), { recursive: true });
  const draft = mkdtempSync(`${folder}.`);
  symlinkSync(hostLocal, join(draft, "host-local"));
  const plugins = mainPlugins().path;
  const others = plugins === undefined ? [] : readdirSync(plugins).filter((other) => other !== "host-local");
  for (const other of others) symlinkSync(join(plugins as string, other), join(draft, other));
  try {
    renameSync(draft, folder);
  } catch {
    rmSync(draft, { recursive: true }); // another test file was first
  }
  return folder;
}
