import { type FileHandle, open } from "node:fs/promises";

const pieceBytes = 2 << 20;

/**
 * A file stays in memory in pieces as large as it was written in, and each call of an executable maps thousands of its pages: a copy by
 * the kernel's ways (copyFile, cp), which go in small pieces, costs each call half a millisecond more (docs/performance.md).
 */
export async function copyExecutable(from: string, to: string): Promise<void> {
  const source = await open(from);
  try {
    const target = await open(to, "wx", 0o755);
    try {
      await copyPieces(source, target);
    } catch (error) {
      throw Object.assign(error as Error, { path: to }); // A failed write doesn't say itself where it was.
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

async function copyPieces(source: FileHandle, target: FileHandle): Promise<void> {
  const piece = Buffer.allocUnsafe(pieceBytes);
  for (;;) {
    const { bytesRead } = await source.read(piece, 0, piece.length);
    if (bytesRead === 0) return;
    for (let at = 0; at < bytesRead; ) at += (await target.write(piece, at, bytesRead - at)).bytesWritten;
  }
}
