import { describe, it } from "vitest";
import { executables } from "../parts/plugin.ts";
import { hostLocals } from "../parts/tools.ts";
import type { Subject } from "../real/parts/subjects.ts";

/** The compiled executable, which is what root runs, over one host-local: what is safe doesn't depend on which. */
export function describeOne(name: string, suite: (subject: Subject) => void): void {
  const [executable] = executables();
  const [hostLocal] = hostLocals();
  if (!executable || !hostLocal) return void it.skip(`${name} (skipped without host-local)`, () => {});
  describe(name, () => suite({ label: executable.label, executable, hostLocal }));
}
