import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

const variable = "KUBE_NODE_TEST_FOLDER";

/** The temporary folder of this whole run, shared by all its processes; who made it removes it. */
export function runFolder(): string {
  const shared = process.env[variable];
  if (shared) return shared;
  const made = makeRunFolder();
  process.once("exit", () => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** Processes started from now on find the same folder. */
export function makeRunFolder(): string {
  const made = mkdtempSync(join(tmpdir(), "kube-node-ipam-"));
  process.env[variable] = made;
  return made;
}

/** A few letters and digits that tell this run's network namespaces from another's. */
export function runId(): string {
  return basename(runFolder()).replace(/^kube-node-ipam-/, "");
}
