import { lstatSync } from "node:fs";
import { formatIp, parseIp } from "../address/ip.ts";
import { listFolder } from "../host/files.ts";
import { isGone } from "../host/machine.ts";
import type { Inventory } from "./inventory.ts";

/** A file that is neither a lease nor a record nor anything else that belongs there. */
export type Stranger = {
  path: string;
  reason: string;
  /** One that a call of ours made and was killed before it could remove it. */
  isOurs: boolean;
};

/** What lies beside the leases: host-local's own files, and the cache of the plugin that was here before us. */
const knownFile = /^(?:lock|last_reserved_ip\.\d+|kube-node\.json)$/;

/** Ours beside the records: what the API server last said, and the locks of those who ask it. */
const stateFile = /^(?:ranges|failure|asking|nv-ipam)-|^(?:attachments$|adopting)/;

export function findStrangers({ stores, state, holdings }: Inventory): Stranger[] {
  const held = new Set(holdings.flatMap(({ record }) => (record ? headOf(record.path) : [])));
  return [
    ...stores.flatMap((store) => listPaths(store).flatMap(judgeStoreFile)),
    ...listPaths(state.folder).flatMap((path) => (stateFile.test(nameOf(path)) ? [] : judgeOwn(path))),
    ...listPaths(state.attachments).flatMap((path) => (held.has(headOf(path)) ? [] : judgeOwn(path))),
  ];
}

function judgeStoreFile(path: string): Stranger[] {
  const name = nameOf(path);
  if (knownFile.test(name)) return [];
  const isFile = lstatSync(path, { throwIfNoEntry: false })?.isFile();
  if (isFile === undefined) return []; // Gone meanwhile.
  const ip = parseIp(name);
  if (ip && isFile && formatIp(ip) === name) return [];
  const reason = ip
    ? isFile
      ? `host-local would write this address ${formatIp(ip)}: it doesn't count as a lease`
      : "it is called like a lease and is no file: host-local can't give this address"
    : "host-local makes no such file";
  return [{ path, reason, isOurs: false }];
}

/** Of `c1:eth0:nonce`, which took `c1:eth0` over, that name: what was taken over stays beside it. */
function headOf(path: string): string {
  return nameOf(path).split(":").slice(0, 2).join(":");
}

function judgeOwn(path: string): Stranger[] {
  const owner = /^\.(?:tmp|adopting)-(\d+)/.exec(nameOf(path))?.[1];
  if (owner === undefined) return [{ path, reason: "kube-node makes no such file", isOurs: false }];
  if (!isGone(Number(owner))) return [];
  return [{ path, reason: "the call that made it was killed", isOurs: true }];
}

function listPaths(folder: string): string[] {
  return listFolder(folder).map((name) => `${folder}/${name}`);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
