import { mkdirSync, realpathSync, renameSync, rmSync, statSync } from "node:fs";
import { CniError, code } from "../cni/error.ts";
import { folderState, isErrno, listFolder, makePrivateFolder } from "../host/files.ts";
import { isGone } from "../host/machine.ts";
import { removeAbandonedLock } from "../host/one-at-a-time.ts";
import { isPodsFile } from "../host/pods-files.ts";
import { adoptLease } from "./record.ts";
import { defaultDataDir, readLeases } from "./store.ts";

/**
 * Our own folders beside host-local's stores: `<dataDir>/.kube-node/<network>/` with the last-known ranges, and
 * `attachments/` in it with a record an attachment. No network's name begins with a dot, so none is ever in the way.
 */
export type State = { folder: string; attachments: string };

/** Names the folders, and refuses links and other people's folders in their place. Makes nothing. */
export function openState(dataDir: string | undefined, network: string): State {
  if (dataDir !== undefined) refusePodsFolder(dataDir);
  const top = `${dataDir ?? defaultDataDir}/.kube-node`;
  const folder = `${top}/${network}`;
  const attachments = `${folder}/attachments`;
  for (const path of [top, folder, attachments]) {
    const state = folderState(path);
    if (state === "absent") break;
    if (state === "foreign")
      throw new CniError(code.io, `${path} is not a folder of this user's`, "remove it; it is made again");
  }
  return { folder, attachments };
}

/** What stands there a pod could have written: ranges, records, leases. A tenant must not bring them along. */
function refusePodsFolder(dataDir: string): void {
  const real = realPathOf(dataDir);
  if (!isPodsFile(real)) return;
  throw new CniError(
    code.invalidConfig,
    `dataDir ${dataDir} lies where pods' files are`,
    "name a folder of the node's",
  );
}

function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path; // Not there yet.
  }
}

export function isAdopted({ attachments }: State): boolean {
  return folderState(attachments) === "own";
}

/**
 * Gives each lease of the store that was there before us a record, once: the folder of records appears whole, by one
 * rename. Of several that do it at once, one wins, and the others have done nothing.
 */
export function adoptStore({ folder, attachments }: State, store: string): void {
  makePrivateFolder(folder);
  removeLeftovers({ folder, attachments });
  const building = `${folder}/.adopting-${process.pid}`;
  mkdirSync(building, { recursive: true, mode: 0o700 });
  try {
    for (const lease of readLeases(store)) {
      if (lease.containerID !== "") adoptLease(building, lease.path, lease.containerID, lease.ifname ?? "");
    }
    renameSync(building, attachments);
  } catch (error) {
    rmSync(building, { recursive: true, force: true });
    if (!isErrno(error, "ENOTEMPTY", "EEXIST")) throw error;
  }
}

/** What calls left that were killed: temporary files, half-adopted stores, locks. Names, and what stands in a lock, say whose they were. */
export function removeLeftovers({ folder, attachments }: Pick<State, "folder" | "attachments">): void {
  for (const parent of [folder, attachments]) {
    for (const name of listFolder(parent)) {
      const owner = /^\.(?:tmp|adopting)-(\d+)/.exec(name)?.[1];
      if (owner !== undefined && (isGone(Number(owner)) || isOld(`${parent}/${name}`)))
        rmSync(`${parent}/${name}`, { recursive: true, force: true });
      if (/^(asking|adopting)/.test(name)) removeAbandonedLock(`${parent}/${name}`);
    }
  }
}

/** Older than any call can live: another process may have its maker's number by now. */
function isOld(path: string): boolean {
  return Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()) > 300_000;
}
