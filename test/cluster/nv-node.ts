import { copyFileSync, mkdirSync, mkdtempSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { executables } from "../parts/plugin.ts";
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

/** What is called nv-ipam on the node from now on: the stand-in, or ours. */
export function installNvIpam(cluster: OwnCluster, node: string, program = ours()): void {
  const bin = folderOf(cluster, node, "CNI_BIN");
  copyFileSync(program, join(bin, ".nv-ipam.new"));
  renameSync(join(bin, ".nv-ipam.new"), join(bin, "nv-ipam"));
}

function ours(): string {
  return executables()[0]?.command("kube-node")[0] as string;
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
  writeFileSync(join(folderOf(cluster, node, "CNI_DATA"), "../nv-ipam/store"), JSON.stringify(store));
}

function folderOf({ environment }: OwnCluster, node: string, what: string): string {
  return environment[`${node.toUpperCase().replaceAll("-", "_")}_${what}`] as string;
}
