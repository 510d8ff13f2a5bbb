import { gzipSync } from "node:zlib";

/** Files of an archive: path → text. */
export type Files = ReadonlyMap<string, string>;

/** A .tar.gz of the files, all in one folder. Long names are kept whole (pax). */
export async function packArchive(folder: string, files: Files): Promise<Uint8Array> {
  const { packTar } = await import("modern-tar");
  const mtime = new Date();
  const entries = [...files].map(([path, body]) => ({
    header: { name: `${folder}/${path}`, size: Buffer.byteLength(body), mode: 0o600, mtime },
    body,
  }));
  return gzipSync(await packTar(entries));
}
