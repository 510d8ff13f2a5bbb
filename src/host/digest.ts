import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { isErrno } from "./files.ts";

const pieceSize = 1 << 18;

/** SHA-256 of a file's bytes, in hex, by one small buffer and without holding up others: executables are large. Undefined where there is none. */
export async function fileDigest(path: string): Promise<string | undefined> {
  const file = await open(path, "r").catch((error) => {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  });
  if (!file) return undefined;
  try {
    const hash = createHash("sha256");
    const piece = Buffer.allocUnsafeSlow(pieceSize);
    for (;;) {
      const { bytesRead } = await file.read(piece, 0, pieceSize);
      if (bytesRead === 0) return hash.digest("hex");
      hash.update(piece.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}

/** SHA-256 of a text, in hex. */
export function textDigest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
