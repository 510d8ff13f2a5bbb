import { copyFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { runFolder } from "../parts/run-folder.ts";
import { checkout } from "../parts/tools.ts";
import type { NvStore } from "./nv-store.ts";
import type { OwnCluster } from "./own-cluster.ts";

/** A node's block of a pool, as nv-ipam's daemon knows it. */
export type NvBlock = {
  startIP: string;
  endIP: string;
  gateway: string;
  prefix: number;
  exclusions: Exclusion[];
};
type Exclusion = { startIP: string; endIP: string };

/** The stand-in of nv-ipam's plugin and daemon, compiled. */
export async function buildOldNvIpam(): Promise<string> {
  const source = fileURLToPath(new URL("old-nv-ipam.ts", import.meta.url));
  const path = join(mkdtempSync(join(runFolder(), "nv-ipam-")), "nv-ipam");
  await execa(join(checkout, "node_modules/.bin/bun"), ["build", "--compile", source, "--outfile", path]);
  return path;
}

/** nv-ipam's plugin, as its daemon installs it. */
export function installOldNvIpam(cluster: OwnCluster, node: string, program: string): void {
  copyFileSync(program, join(folderOf(cluster, node, "CNI_BIN"), "nv-ipam"));
}

/** Whether what is called nv-ipam is ours, and nv-ipam's own is kept beside it. */
export function hasOurs(cluster: OwnCluster, node: string): boolean {
  return existsSync(keptPath(cluster, node));
}

/** As the agent's uninstall does it. */
export function putBackOldNvIpam(cluster: OwnCluster, node: string): void {
  const kept = keptPath(cluster, node);
  renameSync(kept, kept.replace(/\.before-kube-node$/, ""));
}

function keptPath(cluster: OwnCluster, node: string): string {
  return join(folderOf(cluster, node, "CNI_BIN"), "nv-ipam.before-kube-node");
}

/** nv-ipam's daemon on a node: while it is away, every call of its plugin fails. */
export function runOldDaemon(cluster: OwnCluster, node: string, isRunning: boolean): void {
  const mark = join(storeFolderOf(cluster, node), "stopped");
  if (isRunning) rmSync(mark, { force: true });
  else writeFileSync(mark, "");
}

function storeFolderOf(cluster: OwnCluster, node: string): string {
  return join(folderOf(cluster, node, "CNI_DATA"), "../nv-ipam");
}

/** What the stand-in gives from. */
export function tellBlocks(cluster: OwnCluster, node: string, blocks: Record<string, NvBlock>): void {
  const folder = join(folderOf(cluster, node, "CNI_CONF"), "nv-ipam.d");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "blocks.json"), JSON.stringify(blocks));
}

export async function readNvStore(cluster: OwnCluster, node: string): Promise<NvStore> {
  const text = await cluster.run(["exec", node, "--", "cat", "/var/lib/cni/nv-ipam/store"]);
  return JSON.parse(text) as NvStore;
}

/** As nv-ipam's cleaner does it: what was given to pods that are gone is free again. */
export async function cleanNvStore(
  cluster: OwnCluster,
  node: string,
  isAlive: (uid: string) => boolean,
): Promise<void> {
  const store = await readNvStore(cluster, node);
  for (const { entries } of Object.values(store.pools))
    for (const [key, { metadata }] of Object.entries(entries))
      if (!isAlive(metadata["pod_uuid"] ?? "")) delete entries[key];
  writeFileSync(join(storeFolderOf(cluster, node), "store"), JSON.stringify(store));
}

function folderOf({ environment }: OwnCluster, node: string, what: string): string {
  return environment[`${node.toUpperCase().replaceAll("-", "_")}_${what}`] as string;
}
