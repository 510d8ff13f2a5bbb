import { closeSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { execaSync } from "execa";
import { checkout, firstProgram, inPath, type Requirement } from "../../parts/tools.ts";

/** A wall clock that programs see instead of the machine's: those that are started with `env`. */
export type WallClock = { env: Record<string, string>; shift(seconds: number): void };

export function compiler(): Requirement {
  const { path, missing } = firstProgram(inPath("cc"), "a C compiler");
  return path === undefined ? { missing: missing ?? "" } : {};
}

/** Keeps its two files in `folder`. */
export function makeWallClock(folder: string): WallClock {
  const [library, file] = [join(folder, "set-back.so"), join(folder, "shift")];
  execaSync("cc", [
    "-shared",
    "-fPIC",
    "-O1",
    "-o",
    library,
    join(checkout, "test/agent/parts/set-back.c"),
    "-ldl",
  ]);
  writeFileSync(file, Buffer.alloc(8));
  return {
    env: { LD_PRELOAD: library, CLOCK_SHIFT: file },
    shift: (seconds) => {
      const bytes = Buffer.alloc(8);
      bytes.writeBigInt64LE(BigInt(seconds));
      const fd = openSync(file, "r+");
      writeSync(fd, bytes, 0, 8, 0);
      closeSync(fd);
    },
  };
}
