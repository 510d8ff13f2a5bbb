// Compiled by a test, and called as nv-ipam: it gives addresses as nv-ipam does, round robin out of the node's block, and keeps nv-ipam's store. What
// its daemon knows from pools lies in blocks.json of its confDir; while there is a file `stopped` beside the store, its daemon doesn't run.
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { NvBlock } from "./nv-node.ts";
import type { NvEntry, NvStore } from "./nv-store.ts";

type Config = { cniVersion: string; name: string; ipam: { poolName?: string } };

const folder = "/var/lib/cni/nv-ipam";
const store = `${folder}/store`;
const env = process.env as Record<string, string>;
const config = JSON.parse(readFileSync(0, "utf8")) as Config;
const pool = config.ipam.poolName ?? config.name;
const key = `${env["CNI_CONTAINERID"]}_${env["CNI_IFNAME"]}`;
const args = new Map((env["CNI_ARGS"] ?? "").split(";").map((pair) => pair.split("=") as [string, string]));

mkdirSync(folder, { recursive: true });
await lock();
try {
  process.exitCode = existsSync(`${folder}/stopped`) ? refuse() : answer(env["CNI_COMMAND"] ?? "");
} finally {
  rmSync(`${folder}/lock`);
}

/** Each call, a DEL too, fails without the daemon. */
function refuse(): number {
  return print({ cniVersion: config.cniVersion, code: 11, msg: "the daemon doesn't answer" }, 1);
}

/** One call at a time, as its one daemon has it. */
async function lock(): Promise<void> {
  for (let left = 1000; ; left--) {
    try {
      return closeSync(openSync(`${folder}/lock`, "wx"));
    } catch (error) {
      if (left === 0) throw error;
      await sleep(10);
    }
  }
}

function answer(verb: string): number {
  const content = readStore();
  content.pools[pool] ??= { name: pool, entries: {}, last_pool_config: null, last_reserved_ip: null };
  const entries = content.pools[pool];
  if (verb === "DEL") {
    delete entries.entries[key];
    writeStore(content);
  }
  if (verb !== "ADD") return 0;
  const blocks = JSON.parse(readFileSync("/etc/cni/net.d/nv-ipam.d/blocks.json", "utf8")) as Record<
    string,
    NvBlock
  >;
  const block = blocks[pool];
  const address = block && nextAfter(entries.last_reserved_ip, block, Object.values(entries.entries));
  if (!block || !address)
    return print(
      { cniVersion: config.cniVersion, code: 11, msg: "no free addresses in the allocated range" },
      1,
    );
  entries.entries[key] = entryOf(address);
  entries.last_reserved_ip = address;
  writeStore(content);
  return print(
    {
      cniVersion: config.cniVersion,
      ips: [{ address: `${address}/${block.prefix}`, gateway: block.gateway }],
    },
    0,
  );
}

function nextAfter(
  last: string | null,
  { startIP, endIP, gateway, exclusions }: NvBlock,
  entries: NvEntry[],
): string | undefined {
  const [first, size] = [toNumber(startIP), toNumber(endIP) - toNumber(startIP) + 1];
  const taken = new Set([gateway, ...entries.map(({ ip_address }) => ip_address)]);
  const from = last === null ? 0 : toNumber(last) - first + 1;
  const all = Array.from({ length: size }, (_, index) => toText(first + ((from + index) % size)));
  const isExcluded = (address: string) =>
    exclusions.some(
      (one) => toNumber(one.startIP) <= toNumber(address) && toNumber(address) <= toNumber(one.endIP),
    );
  return all.find((address) => !taken.has(address) && !isExcluded(address));
}

function entryOf(address: string): NvEntry {
  return {
    container_id: env["CNI_CONTAINERID"] ?? "",
    interface_name: env["CNI_IFNAME"] ?? "",
    ip_address: address,
    metadata: {
      create_time: new Date().toISOString(),
      pod_uuid: args.get("K8S_POD_UID") ?? "",
      pod_name: args.get("K8S_POD_NAME") ?? "",
      pod_namespace: args.get("K8S_POD_NAMESPACE") ?? "",
      device_id: "",
      pool_config_snapshot: "",
    },
  };
}

function readStore(): NvStore {
  try {
    return JSON.parse(readFileSync(store, "utf8")) as NvStore;
  } catch {
    return { version: 1, checksum: 0, pools: {} };
  }
}

function writeStore(content: NvStore): void {
  writeFileSync(`${store}.new`, JSON.stringify(content));
  renameSync(`${store}.new`, store);
}

function print(document: object, exitCode: number): number {
  writeSync(1, JSON.stringify(document));
  return exitCode;
}

function toNumber(address: string): number {
  return address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

function toText(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join(".");
}
