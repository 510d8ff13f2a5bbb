// node scripts/give-entry.ts FILE: where a container runtime calls an executable that bun compiled for Linux, BUN_JSC_useJIT=0 is put
// into its environment before the runtime looks there (decision 18). entry/*.s is the code; `machineCode` is the same, assembled.
import { readFileSync, writeFileSync } from "node:fs";

/** Behind each come two words: the address of `environ`, and the entry that was. */
export const machineCode = {
  amd64:
    "4989e0498b084d8d4cc81049ba434e495f434f4d4d4531db498b014885c0740e4c3910750341ffc34983c108ebea4585db74454c89c84c29c0488d78104829fc4883e4f04889e74c89c64989c84889c148c1e903f348a5488d052000000048890748c74708000000004a8d44c410488b0d1b000000488901ff251a00000042554e5f4a53435f7573654a49543d300090",
  arm64:
    "e90300912a0140f92b0d0a8b6b410091cc0300580d0080d26e0140f9ee0000b4cf0140f9ff010ceb410000542d0080d26b210091f9ffff172d0200b46e0109cbcf4100912f010fcbefed7c92ff0100912e8540f8ee8500f83f010beba1ffff548e010010ee7d00a9e9030091290d0a8b29410091ae010058c90100f9ae010058c0011fd61f2003d5434e495f434f4d4d42554e5f4a53435f7573654a49543d30000000001f2003d5",
} as const;

type Machine = keyof typeof machineCode;
type Part = { offset: number; address: number; size: number };

const machines: Record<number, Machine> = { 62: "amd64", 183: "arm64" };

/** The executable with another entry. Throws an Error that says what it lacks. */
export function giveEntry(file: Buffer): Buffer {
  const machine = file.readUInt32BE(0) === 0x7f454c46 ? machines[file.readUInt16LE(18)] : undefined;
  if (machine === undefined) throw new Error("it is no ELF executable for amd64 or arm64");
  const code = Buffer.from(machineCode[machine], "hex");
  const { text, room } = findRoom(file);
  const at = Math.ceil(room / 16) * 16;
  const end = at + code.length + 16;
  if (end > text.offset || file.subarray(at, end).some((byte) => byte !== 0))
    throw new Error("it has no room before its code");
  const given = Buffer.from(file);
  code.copy(given, at);
  given.writeBigUInt64LE(environAddress(file), at + code.length);
  given.writeBigUInt64LE(file.readBigUInt64LE(24), at + code.length + 8);
  given.writeBigUInt64LE(BigInt(text.address - (text.offset - at)), 24);
  return given;
}

/** What lies in the file before the code, and after what else is loaded, is mapped with the page that the code begins in. */
function findRoom(file: Buffer): { text: Part; room: number } {
  const loaded = readHeaders(file, { table: 32, size: 54, count: 56 }).filter(
    ({ at }) => file.readUInt32LE(at) === 1,
  );
  const parts = loaded.map(({ at, word }) => ({
    isCode: (file.readUInt32LE(at + 4) & 1) === 1,
    offset: word(8),
    address: word(16),
    size: word(32),
  }));
  const text = parts.find(({ isCode }) => isCode);
  if (!text) throw new Error("it has no code");
  const before = parts.filter(({ offset }) => offset < text.offset).map(({ offset, size }) => offset + size);
  return { text, room: Math.max(text.offset - (text.offset % 4096), ...before) };
}

/** The executable has libc's `environ` at a place of its own (a copy relocation), since it is not position-independent. */
function environAddress(file: Buffer): bigint {
  const sections = readHeaders(file, { table: 40, size: 58, count: 60 });
  const symbols = sections.find(({ at }) => file.readUInt32LE(at + 4) === 11);
  const names = symbols && sections[file.readUInt32LE(symbols.at + 40)];
  if (!symbols || !names) throw new Error("it has no symbols");
  const wanted = Buffer.from("environ\0");
  for (let at = symbols.word(24); at < symbols.word(24) + symbols.word(32); at += 24) {
    const name = names.word(24) + file.readUInt32LE(at);
    const isDefined = file.readUInt16LE(at + 6) !== 0;
    if (isDefined && file.subarray(name, name + wanted.length).equals(wanted))
      return file.readBigUInt64LE(at + 8);
  }
  throw new Error("it does not hold environ");
}

/** A table of headers, by where the file's header says its place, and the size and the number of its entries. */
function readHeaders(file: Buffer, { table, size, count }: { table: number; size: number; count: number }) {
  const [start, each] = [Number(file.readBigUInt64LE(table)), file.readUInt16LE(size)];
  return Array.from({ length: file.readUInt16LE(count) }, (_, i) => {
    const at = start + i * each;
    return { at, word: (field: number) => Number(file.readBigUInt64LE(at + field)) };
  });
}

if (import.meta.main) {
  const [path = ""] = process.argv.slice(2);
  try {
    writeFileSync(path, giveEntry(readFileSync(path)));
  } catch (error) {
    console.error(`${path} gets no other entry: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}
