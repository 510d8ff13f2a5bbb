import { symlinkSync } from "node:fs";
import { join } from "node:path";
import type { Subject } from "./subjects.ts";
import { putProgram } from "./worker.ts";

/** Puts kube-node and node-annotation into a folder as an administrator would: links to the one executable. */
export function installPrograms({ executable }: Pick<Subject, "executable">, folder: string): void {
  for (const program of ["kube-node", "node-annotation"] as const) {
    const [file = "", ...args] = executable.command(program);
    const path = join(folder, program);
    if (args.length === 0) symlinkSync(file, path);
    else putProgram(path, `#!/bin/sh\nexec '${file}' '${args.join("' '")}' "$@"\n`);
  }
}
