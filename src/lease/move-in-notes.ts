import { isErrno, makePrivateFolder, readOwn, replaceFile } from "../host/files.ts";
import { isObject } from "../text/json.ts";
import { markOfStore } from "./nv-ipam-store.ts";

/** A lease of nv-ipam's that was not taken over, and why. Its address is given to nobody. */
export type NotedDoubt = {
  pool: string;
  address: string;
  containerID: string;
  ifname: string;
  reason: string;
};

/** What was settled of a network: of which state of nv-ipam's store (`mark`), and of which of its pools. */
export type MoveInNote = { version: 1; mark: string; pools: string[]; doubts: NotedDoubt[] };

/** In our folder of the network. */
const noteName = "nv-ipam-moved";

/** Undefined where nothing was settled yet, or what was noted is damaged: then all of it is looked at again. */
export function readMoveInNote(folder: string): MoveInNote | undefined {
  const text = readOwn(`${folder}/${noteName}`)?.text;
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    const isWhole = isObject(value) && value["version"] === 1 && Array.isArray(value["pools"]);
    return isWhole && Array.isArray(value["doubts"]) ? (value as MoveInNote) : undefined;
  } catch {
    return undefined;
  }
}

/** Whether all that the store has of these pools was settled, as the store is now. */
export function isMovedIn(folder: string, pools: readonly string[], mark = markOfStore()): boolean {
  if (mark === undefined) return true;
  const note = readMoveInNote(folder);
  return note?.mark === mark && pools.every((pool) => note.pools.includes(pool));
}

/** Keeps what is noted of other pools, where it is of the same state of the store. */
export function writeMoveInNote(folder: string, { mark, pools, doubts }: Omit<MoveInNote, "version">): void {
  const before = readMoveInNote(folder);
  const others = before?.mark === mark ? before : undefined;
  const note: MoveInNote = {
    version: 1,
    mark,
    pools: [...new Set([...(others?.pools ?? []), ...pools])],
    doubts: [...(others?.doubts ?? []).filter(({ pool }) => !pools.includes(pool)), ...doubts],
  };
  makePrivateFolder(folder);
  replaceFile(folder, noteName, JSON.stringify(note));
}

/** Addresses that nobody is to get, since it isn't known whose they are. */
export function doubtfulAddresses(folder: string): string[] {
  return (readMoveInNote(folder)?.doubts ?? []).map(({ address }) => address);
}

/** Whether something of an attachment's was not taken over. */
export function isInDoubt(folder: string, { containerID, ifname }: Ended): boolean {
  const doubts = readMoveInNote(folder)?.doubts ?? [];
  return doubts.some((one) => one.containerID === containerID && one.ifname === ifname);
}

type Ended = { containerID: string; ifname: string };

/** Its lease stands in nv-ipam's store still, and is to be passed over. A disk that can't be written stops no DEL: an address too many is kept. */
export function noteEnded(folder: string, ended: Ended): void {
  try {
    makePrivateFolder(folder);
    replaceFile(folder, endedName(ended), "");
  } catch (error) {
    if (!isErrno(error, "ENOSPC", "EDQUOT", "EROFS", "EIO", "EACCES", "EPERM", "ENAMETOOLONG", "ENOTDIR"))
      throw error;
  }
}

export function isNotedEnded(folder: string, ended: Ended): boolean {
  return readOwn(`${folder}/${endedName(ended)}`) !== undefined;
}

function endedName({ containerID, ifname }: Ended): string {
  return `nv-ipam-ended-${containerID}:${ifname}`;
}
