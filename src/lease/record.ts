import { constants, copyFileSync, linkSync, lstatSync, statSync, utimesSync } from "node:fs";
import { CniError, code } from "../cni/error.ts";
import {
  isErrno,
  linkUnlessTaken,
  listFolder,
  overwriteOwn,
  readOwn,
  removeIfThere,
  renameIfThere,
  replaceFile,
  writeTemporary,
} from "../host/files.ts";
import type { ProcessID } from "../host/process.ts";
import type { JsonObject } from "../text/json.ts";
import { formatRecord, parseRecord, workerIn } from "./record-text.ts";

/**
 * What is known of one attachment: written before its delegate runs, removed after its DEL. The file's name is the
 * claim of (container, interface), so it is made by link(2), which of two ADDs lets one win.
 */
export type AttachmentRecord = {
  version: 1;
  containerID: string;
  /** Absent in one that was adopted from a lease in the form of old releases. */
  ifname?: string;
  netns?: string;
  /** Which namespace that path led to at ADD (host/network-namespace.ts): paths are used again. */
  netnsID?: string;
  /** From where that namespace was seen: from elsewhere, not to see it says nothing. */
  viewpoint?: string;
  pod?: { namespace?: string; name?: string; uid?: string };
  /** The delegate's name and the `ipam` it got at ADD; absent in a record that was adopted from a lease. */
  delegate?: string;
  ipam?: JsonObject;
  /** The process of the delegate, or of a whole DEL, which outlives its call where that is killed. */
  delegatePid?: number;
  /** Who frees what this attachment holds, its pod being dead. */
  releaser?: ProcessID;
  /** Who takes over what another plugin leased to it: where that one ended before there was a lease, anybody may. */
  adopter?: ProcessID;
  /** ISO 8601, and the boot with its seconds so far: times within a boot compare whatever the clock does. */
  time: string;
  bootID: string;
  uptime: number;
  /** Names the claim: whoever takes a dead one over links to `<name>:<nonce>`, and that again lets one win. */
  nonce: string;
};

/** A record as it was found. Of a damaged one (a power cut: nothing here is synced to the disk) only its time is known. */
export type FoundRecord = { path: string; mtimeMs: number; nonce: string; record?: AttachmentRecord };

/** A claim that is held, and where. */
export type Claim = { folder: string; path: string; record: AttachmentRecord };

/** Host-local's characters for a container id hold no ":", and an interface's name none either. */
export function recordName(containerID: string, ifname: string): string {
  return `${containerID}:${ifname}`;
}

/**
 * Takes (container, interface) for this record. Where somebody holds it, `judge` throws, or returns to have a dead
 * claim taken over: by the next link of the chain `name`, `name:nonce1`, `name:nonce2`, the last of which holds. A link to a
 * chain that was let go of meanwhile holds nothing: then from the start. Throws ENOENT where the folder isn't there yet.
 */
export function claim(folder: string, record: AttachmentRecord, judge: (held: FoundRecord) => void): Claim {
  const temporary = writeTemporary(folder, formatRecord(record));
  try {
    const name = `${folder}/${recordName(record.containerID, record.ifname ?? "")}`;
    for (;;) {
      const path = linkToEnd(name, temporary, judge);
      if (path === name || chain(name).some((link) => link.nonce === record.nonce))
        return { folder, path, record };
      removeIfThere(path);
    }
  } finally {
    removeIfThere(temporary);
  }
}

function linkToEnd(name: string, temporary: string, judge: (held: FoundRecord) => void): string {
  let path = name;
  while (!linkUnlessTaken(temporary, path)) {
    const held = find(path);
    if (!held) refuseStranger(path);
    else {
      judge(held);
      path = `${name}:${held.nonce}`;
    }
  }
  return path;
}

/**
 * Adds to the record of a claim, while it is there: which process works for it. Some bytes of the very file that was read, so that
 * nobody else's record can be hit; one that has no place for them (written by an older release) is written anew.
 */
export function noteDelegate({ folder, path, record }: Claim, pid: number): void {
  if (record.delegatePid === pid) return;
  let hasNoPlace = false;
  overwriteOwn(path, ({ text, mtimeMs }) => {
    if (parseRecord(text, mtimeMs)?.nonce !== record.nonce) return undefined;
    const edit = workerIn(text, pid);
    hasNoPlace = edit === undefined;
    return edit;
  });
  if (hasNoPlace)
    replaceFile(folder, path.slice(folder.length + 1), formatRecord({ ...record, delegatePid: pid }));
}

/** The record that holds (container, interface) now: the last of its chain. */
export function findRecord(folder: string, containerID: string, ifname: string): FoundRecord | undefined {
  return chain(`${folder}/${recordName(containerID, ifname)}`).at(-1);
}

/**
 * Lets go of (container, interface). The holder's link takes the places of those that it took over, one by one, and goes at
 * last: at each moment it either holds or is gone, and none that was taken over comes back. Where a `holder` is named and
 * another one holds by now, nothing is done.
 */
export function removeRecord(folder: string, containerID: string, ifname: string, holder?: string): void {
  const links = chain(`${folder}/${recordName(containerID, ifname)}`);
  if (holder !== undefined && links.at(-1)?.nonce !== holder) return;
  const paths = links.map(({ path }) => path);
  for (let last = paths.pop(); last !== undefined; last = paths.pop()) {
    const before = paths.at(-1);
    if (before === undefined) removeIfThere(last);
    else renameIfThere(last, before);
  }
}

function chain(name: string): FoundRecord[] {
  const found: FoundRecord[] = [];
  const seen = new Set<string>();
  for (let held = find(name); held && !seen.has(held.path); held = find(`${name}:${held.nonce}`)) {
    seen.add(held.path);
    found.push(held);
  }
  return found;
}

/** What stands in a record's place and is none can't be taken over; what went meanwhile is no trouble. */
function refuseStranger(path: string): void {
  if (!lstatSync(path, { throwIfNoEntry: false })) return;
  throw new CniError(code.io, `${path} is no file of this user's`, "remove it; it is made again");
}

/** `links` are the nonces of its chain, from the first to its own. */
export type ListedRecord = FoundRecord & { containerID: string; ifname: string; links: string[] };

/** Every attachment's record, damaged ones too. Taken-over claims are left out, those that took them over count. */
export function listRecords(folder: string): ListedRecord[] {
  const heads = listFolder(folder).filter((name) => !name.startsWith(".") && name.split(":").length === 2);
  return heads.flatMap((name) => {
    const [containerID = "", ifname = ""] = name.split(":");
    const found = chain(`${folder}/${name}`);
    const held = found.at(-1);
    return held ? [{ ...held, containerID, ifname, links: found.map(({ nonce }) => nonce) }] : [];
  });
}

function find(path: string): FoundRecord | undefined {
  const file = readOwn(path);
  if (!file) return undefined;
  const record = parseRecord(file.text, file.mtimeMs);
  return { path, mtimeMs: file.mtimeMs, nonce: record?.nonce ?? `ino${file.ino}`, ...(record && { record }) };
}

/** A lease from before us counts as a record of itself: adopting it is giving its file a second name. */
export function adoptLease(folder: string, leasePath: string, containerID: string, ifname: string): void {
  if (!/^\w[\w.-]*$/.test(containerID) || /[/:\0]/.test(ifname)) return; // No runtime ever asks for it.
  const path = `${folder}/${recordName(containerID, ifname)}`;
  try {
    linkOrCopy(leasePath, path);
  } catch (error) {
    // Two leases of one attachment share a record; a lease may be gone by now; a name may be too long for a record.
    if (!isErrno(error, "EEXIST", "ENOENT", "ENAMETOOLONG")) throw error;
  }
}

/** A Node's annotation may put the store on another file system than ours. The time tells of which boot a lease is. */
function linkOrCopy(leasePath: string, path: string): void {
  try {
    linkSync(leasePath, path);
  } catch (error) {
    if (!isErrno(error, "EXDEV", "EMLINK", "EPERM")) throw error;
    copyFileSync(leasePath, path, constants.COPYFILE_EXCL);
    const { atime, mtime } = statSync(leasePath);
    utimesSync(path, atime, mtime);
  }
}
