import {
  closeSync,
  constants,
  fstatSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  type Stats,
  unlinkSync,
  writeSync,
} from "node:fs";

let temporaries = 0;

export function isErrno(error: unknown, ...codes: string[]): boolean {
  return codes.includes((error as NodeJS.ErrnoException | undefined)?.code ?? "");
}

/** A whole file, `limit` bytes of it at most; undefined where there is none. Follows links; for files that aren't ours. */
export function readText(path: string, limit = 1 << 20): string | undefined {
  return readOpened(path, constants.O_RDONLY | constants.O_NONBLOCK, limit)?.text;
}

type Found = { text: string; mtimeMs: number; ino: number };

const ownFlags = constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** A file of our own: neither a link, nor a pipe, nor somebody else's; undefined where there is none such. One that is too long is damaged, as good as empty. */
export function readOwn(path: string, limit = 1 << 20): Found | undefined {
  return readOpened(path, constants.O_RDONLY | ownFlags, limit, true);
}

/**
 * Overwrites a few bytes of a file of our own where it stands, if `edit` wants that, having seen what is in it: of that very file,
 * whoever has its name by then.
 */
export function overwriteOwn(
  path: string,
  edit: (file: Found) => { at: number; bytes: string } | undefined,
): void {
  readOpened(path, constants.O_RDWR | ownFlags, 1 << 20, true, (found, fd) => {
    const wanted = edit(found);
    if (wanted) writeAt(path, fd, wanted.bytes, wanted.at);
  });
}

function readOpened(
  path: string,
  flags: number,
  limit: number,
  onlyOwn = false,
  use?: (found: Found, fd: number) => void,
): Found | undefined {
  let fd: number;
  try {
    fd = openSync(path, flags);
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR", "ENAMETOOLONG", ...(onlyOwn ? ["ELOOP", "ENXIO", "EISDIR"] : [])))
      return undefined;
    throw error;
  }
  try {
    const stat = fstatSync(fd);
    if (onlyOwn && !(stat.isFile() && stat.uid === process.geteuid?.())) return undefined;
    if (stat.isFIFO() && !path.startsWith("/dev/fd/")) throw notAFile(path);
    const text = onlyOwn && stat.size > limit ? "" : readToEnd(fd, limit);
    const found = { text, mtimeMs: stat.mtimeMs, ino: stat.ino };
    use?.(found, fd);
    return found;
  } finally {
    closeSync(fd);
  }
}

/** A pipe that nobody writes to would hold up the call for ever; a shell's `<(…)` is none of those. */
function notAFile(path: string): Error {
  return Object.assign(new Error(`EINVAL: a pipe in the place of a file, open '${path}'`), {
    code: "EINVAL",
    syscall: "open",
  });
}

/** Everything there is to read, decoded as UTF-8. Throws a RangeError where it is more than `limit` bytes. */
export function readToEnd(fd: number, limit: number): string {
  let buffer = Buffer.allocUnsafe(16384);
  let length = 0;
  for (;;) {
    const count = readSome(fd, buffer, length);
    if (count === 0) return buffer.toString("utf8", 0, length);
    length += count;
    if (length > limit) throw new RangeError(`more than ${limit} bytes`);
    if (length === buffer.length) buffer = Buffer.concat([buffer], buffer.length * 2);
  }
}

/** Standard input may be a pipe that doesn't block: waits a moment where nothing is there yet. */
function readSome(fd: number, buffer: Buffer, offset: number): number {
  for (;;) {
    try {
      return readSync(fd, buffer, offset, buffer.length - offset, null);
    } catch (error) {
      if (!isErrno(error, "EAGAIN")) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

/** Writes a new file beside `path`, 0600, and returns its name; what can't be written whole is removed again. */
export function writeTemporary(folder: string, text: string): string {
  const path = `${folder}/.tmp-${process.pid}-${Date.now()}-${temporaries++}`;
  const fd = openSync(path, "wx", 0o600);
  try {
    writeAll(fd, text);
  } catch (error) {
    closeSync(fd);
    removeIfThere(path);
    throw naming(path, error);
  }
  closeSync(fd);
  return path;
}

function writeAt(path: string, fd: number, bytes: string, at: number): void {
  try {
    writeSync(fd, bytes, at);
  } catch (error) {
    throw naming(path, error);
  }
}

/** Adds to a file that is there; neither a link nor a pipe. */
export function appendOwn(path: string, text: string): void {
  const fd = openSync(
    path,
    constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_NONBLOCK,
  );
  try {
    writeAll(fd, text);
  } catch (error) {
    throw naming(path, error);
  } finally {
    closeSync(fd);
  }
}

/** A failed write doesn't say itself where it was. */
function naming(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || error.message.includes(path)) return error;
  return Object.assign(error, { message: `${error.message} '${path}'`, path });
}

/** Everything to a file, pipe or terminal, in as many writes as it takes. */
export function writeAll(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let offset = 0; offset < bytes.length; ) {
    try {
      offset += writeSync(fd, bytes, offset);
    } catch (error) {
      if (!isErrno(error, "EAGAIN")) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

/** Replaces a file of ours at once: whoever reads sees the old one or the new one, whole. */
export function replaceFile(folder: string, name: string, text: string): void {
  const temporary = writeTemporary(folder, text);
  try {
    renameSync(temporary, `${folder}/${name}`);
  } catch (error) {
    removeIfThere(temporary);
    throw error;
  }
}

/** Gives a file a second name, unless that name is taken: of several at once, one succeeds. */
export function linkUnlessTaken(existing: string, path: string): boolean {
  try {
    linkSync(existing, path);
    return true;
  } catch (error) {
    if (isErrno(error, "EEXIST")) return false;
    throw error;
  }
}

/** True where something was removed. */
export function removeIfThere(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR", "ENAMETOOLONG")) return false;
    throw error;
  }
}

/** Gives a file the place of another in one step; nothing where it is gone. */
export function renameIfThere(path: string, place: string): void {
  try {
    renameSync(path, place);
  } catch (error) {
    if (!isErrno(error, "ENOENT", "ENOTDIR")) throw error;
  }
}

/** Makes `…/.kube-node/<network>`: those two are for this user alone, what is above them is for all to see. */
export function makePrivateFolder(path: string): void {
  const above = path.split("/").slice(0, -2).join("/");
  mkdirSync(above, { recursive: true, mode: 0o755 });
  mkdirSync(path, { recursive: true, mode: 0o700 });
}

/** The names in a folder; none where there is no folder. */
export function listFolder(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR", "ENAMETOOLONG")) return [];
    throw error;
  }
}

/** A folder of our own, or root's: a real one, not a link, that nobody else owns or may write. "absent" where there is none. */
export function folderState(path: string): "own" | "absent" | "foreign" {
  const stat = lstatIfThere(path);
  if (!stat) return "absent";
  const isOwn = [process.geteuid?.(), 0].includes(stat.uid) && (stat.mode & 0o022) === 0;
  return stat.isDirectory() && isOwn ? "own" : "foreign";
}

function lstatIfThere(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (isErrno(error, "ENOTDIR", "ENAMETOOLONG")) return undefined;
    throw error;
  }
}
