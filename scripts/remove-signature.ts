// node scripts/remove-signature.ts FILE: takes the code signature out of a Mach-O executable of 64 bits, which macOS runs unsigned on
// amd64, but not with a signature that doesn't fit. (Apple's mach-o/loader.h: mach_header_64, segment_command_64,
// linkedit_data_command.)
import { readFileSync, writeFileSync } from "node:fs";

const magic = 0xfeedfacf;
const headerSize = 32;
const codeSignature = 0x1d;
const segment = 0x19;

const [file = ""] = process.argv.slice(2);
writeFileSync(file, removeSignature(readFileSync(file)));

function removeSignature(bytes: Buffer): Buffer {
  if (bytes.readUInt32LE(0) !== magic) throw new Error(`${file} is no Mach-O executable of 64 bits`);
  const commands = [...readCommands(bytes)];
  const signature = commands.at(-1);
  if (signature?.type !== codeSignature)
    throw new Error(`${file}: its last load command is no code signature`);
  const start = bytes.readUInt32LE(signature.at + 8);
  const link = commands.find(({ type, at }) => type === segment && nameOf(bytes, at) === "__LINKEDIT");
  if (!link || start + bytes.readUInt32LE(signature.at + 12) !== bytes.length)
    throw new Error(`${file}: the signature isn't at its end`);
  bytes.writeUInt32LE(bytes.readUInt32LE(16) - 1, 16);
  bytes.writeUInt32LE(bytes.readUInt32LE(20) - signature.size, 20);
  bytes.fill(0, signature.at, signature.at + signature.size);
  bytes.writeBigUInt64LE(BigInt(start) - bytes.readBigUInt64LE(link.at + 40), link.at + 48);
  return bytes.subarray(0, start);
}

function* readCommands(bytes: Buffer): Generator<{ type: number; at: number; size: number }> {
  let at = headerSize;
  for (let left = bytes.readUInt32LE(16); left > 0; left--) {
    const size = bytes.readUInt32LE(at + 4);
    yield { type: bytes.readUInt32LE(at), at, size };
    at += size;
  }
}

function nameOf(bytes: Buffer, at: number): string {
  return bytes.toString("latin1", at + 8, at + 24).replace(/\0+$/, "");
}
