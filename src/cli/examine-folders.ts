import { accessSync, constants, existsSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import { isErrno } from "../host/files.ts";
import { leaseFolder } from "../request/lease-folder.ts";
import type { ReadRequest } from "../request/request.ts";
import { type Finding, fail, good, warn } from "./finding.ts";

/** A lease, a record and last-known ranges need a few blocks and inodes each. */
const smallestSpace = 4 << 20;

/** Where leases and our state lie, or will lie. */
export function examineFolders(request: ReadRequest): Finding[] {
  return [
    ...examineDataDir(request.dataDir),
    examineFolder("leases", leaseFolder(request, undefined)),
    examineFolder("state", request.state.folder),
  ];
}

/** Runtimes have other working folders than the one who asks: where this one lies for them isn't known here. */
function examineDataDir(dataDir = "/"): Finding[] {
  if (dataDir.startsWith("/")) return [];
  const says = `ipam.dataDir ${dataDir} is relative to the runtime's working folder: in another one the same addresses are given again`;
  return [warn("dataDir", says, "write an absolute path")];
}

function examineFolder(check: string, folder: string): Finding {
  const place = existing(folder);
  const says = place === folder ? folder : `${folder} (to be made in ${place})`;
  try {
    accessSync(place, constants.W_OK | constants.X_OK);
  } catch (error) {
    if (isErrno(error, "EROFS"))
      return fail(
        check,
        `${says} is on a read-only file system`,
        "mount it for writing, or set ipam.dataDir",
      );
    const remedy =
      process.geteuid?.() === 0 ? "set ipam.dataDir to a folder" : "run it as root, as runtimes do";
    return fail(check, `${says} can't be written by user ${process.geteuid?.()}`, remedy);
  }
  return examineSpace(check, place, says);
}

function existing(folder: string): string {
  return existsSync(folder) || folder === "/" ? folder : existing(dirname(folder));
}

function examineSpace(check: string, place: string, says: string): Finding {
  const { bavail, bsize, files, ffree } = statfsSync(place);
  const remedy = "make room: a full disk keeps pods from starting";
  if (files > 0 && ffree === 0) return fail(check, `${says}: no inodes are left there`, remedy);
  if (bavail === 0) return fail(check, `${says}: no space is left there`, remedy);
  if (bavail * bsize < smallestSpace)
    return warn(check, `${says}: ${Math.floor((bavail * bsize) / 1024)} KiB are left there`, remedy);
  return good(check, says);
}
