import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { isErrno } from "./files.ts";

const chunk = 1 << 20;

/** SHA-256 of a file's bytes, in hex, a piece at a time: executables are large. Undefined where there is none. */
export function fileDigest(path: string): string | undefined {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
  try {
    const hash = createHash("sha256");
    const buffer = Buffer.allocUnsafe(chunk);
    for (let count = readSync(fd, buffer); count > 0; count = readSync(fd, buffer))
      hash.update(buffer.subarray(0, count));
    return hash.digest("hex");
  } finally {
    closeSync(fd);
  }
}

/** SHA-256 of a text, in hex. */
export function textDigest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
