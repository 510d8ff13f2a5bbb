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
export type NvBlock = { startIP: string; endIP: string; gateway: string; prefix: number };

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

/** What host-local has of a network, in nv-ipam's store: nobody's own tool does that. */
export async function giveToNvStore(cluster: OwnCluster, node: string, pool: string): Promise<void> {
  const leases = await leasesOn(cluster, node, pool);
  const entries = leases.map(({ address, container_id, interface_name }) => [
    `${container_id}_${interface_name}`,
    { container_id, interface_name, ip_address: address, metadata: {} },
  ]);
  const last = leases.at(-1)?.address ?? null;
  const state = {
    name: pool,
    entries: Object.fromEntries(entries),
    last_pool_config: null,
    last_reserved_ip: last,
  };
  const store: NvStore = { version: 1, checksum: 0, pools: { [pool]: state } };
  const folder = join(folderOf(cluster, node, "CNI_DATA"), "nv-ipam");
  writeFileSync(join(folder, "store"), JSON.stringify(store));
}

type Lease = { address: string; container_id: string; interface_name: string };

async function leasesOn(cluster: OwnCluster, node: string, network: string): Promise<Lease[]> {
  const script = `cd /var/lib/cni/networks/${network} && for f in *.*.*.*; do echo "$f" $(cat "$f"); done`;
  const text = await cluster.run(["exec", node, "--", "sh", "-c", script]);
  return text.split("\n").map((line) => {
    const [address = "", container_id = "", interface_name = ""] = line.replaceAll("\r", "").split(" ");
    return { address, container_id, interface_name };
  });
}

function folderOf({ environment }: OwnCluster, node: string, what: string): string {
  return environment[`${node.toUpperCase().replaceAll("-", "_")}_${what}`] as string;
}
