import { lstatSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import {
  isErrno,
  linkUnlessTaken,
  makePrivateFolder,
  readOwn,
  removeIfThere,
  writeTemporary,
} from "./files.ts";
import { isGone } from "./machine.ts";

/** A request that takes longer than this has been killed, whatever its process's number says. Milliseconds. */
const longestRequest = 60_000;

/**
 * Between two looks, in milliseconds, twice as long each time. A request takes about five; where many wait, that they look is what the
 * machine is busy with.
 */
const pauses = { first: 2, longest: 25 };

/** Of so many looks at the same lock, one asks whether its holder lives, and whether somebody else has done the work. */
const looksAtALock = 4;

/**
 * Lets one of several processes at a time do `work`. The others look every few milliseconds whether `done` has
 * something for them. Only work is shared so, never safety: after `patience` (milliseconds), or where no lock
 * can be had, everyone does it alone.
 */
export async function oneAtATime<T>(
  folder: string,
  name: string,
  patience: number,
  done: () => T | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const path = `${folder}/${name}`;
  const end = Date.now() + patience;
  let seen: string | undefined;
  for (let looks = 0; Date.now() < end; await pause(Math.min(pauses.first * 2 ** looks++, pauses.longest))) {
    const held = lockAt(path);
    if (held !== undefined && held === seen && looks % looksAtALock > 0) continue;
    seen = held;
    const lock = tryLock(folder, path, held);
    if (lock === "impossible") break;
    const result = done();
    if (result !== undefined) {
      if (lock === "mine") removeIfThere(path);
      return result;
    }
    if (lock === "mine") return await work().finally(() => removeIfThere(path));
  }
  return await work();
}

/** Tells one lock from the next; nothing where none is seen. */
function lockAt(path: string): string | undefined {
  try {
    const { ino, mtimeMs } = lstatSync(path);
    return `${ino} ${mtimeMs}`;
  } catch {
    return; // What stands in the way of looking stands in the way of making one, which says so.
  }
}

function tryLock(folder: string, path: string, held: string | undefined): "mine" | "taken" | "impossible" {
  try {
    if (held !== undefined && !removeAbandonedLock(path)) return "taken";
    return linkLock(folder, path) ? "mine" : "taken";
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOSPC", "EDQUOT", "EROFS", "EIO", "EACCES", "EPERM", "EMFILE", "ENFILE"))
      return "impossible";
    throw error;
  }
}

function linkLock(folder: string, path: string): boolean {
  const temporary = writeHolder(folder);
  try {
    return linkUnlessTaken(temporary, path);
  } finally {
    removeIfThere(temporary);
  }
}

function writeHolder(folder: string): string {
  try {
    return writeTemporary(folder, String(process.pid));
  } catch (error) {
    if (!isErrno(error, "ENOENT")) throw error;
    makePrivateFolder(folder);
    return writeTemporary(folder, String(process.pid));
  }
}

/** True where there was a lock that its holder left. */
export function removeAbandonedLock(path: string): boolean {
  return isAbandoned(path) && removeIfThere(path);
}

/** Its holder was killed. A process of that number may be another by now: then its age tells. */
function isAbandoned(path: string): boolean {
  const lock = readOwn(path);
  if (!lock) return false; // Gone by now, or nothing that we made: patience ends the waiting.
  return Date.now() - lock.mtimeMs > longestRequest || isGone(Number(lock.text));
}
