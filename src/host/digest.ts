import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { isErrno } from "./files.ts";

/** SHA-256 of a file's bytes, in hex, a piece at a time and without holding up others: executables are large. Undefined where there is none. */
export async function fileDigest(path: string): Promise<string | undefined> {
  const hash = createHash("sha256");
  try {
    for await (const piece of createReadStream(path, { highWaterMark: 1 << 18 }))
      hash.update(piece as Buffer);
    return hash.digest("hex");
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}

/** SHA-256 of a text, in hex. */
export function textDigest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
