import { UsageError } from "./usage-error.ts";

/** Nodes are chosen by name or by flags. */
export function refuseBoth(names: readonly string[], byFlags: boolean, flags = "-l"): void {
  if (byFlags && names.length > 0)
    throw new UsageError(`nodes by name (${names.join(", ")}) and ${flags}: give one of both`);
}

/** Throws where one of the names is no Node's. */
export function checkNames(names: readonly string[], known: ReadonlySet<string>): void {
  const missing = names.filter((name) => !known.has(name));
  if (missing.length > 0)
    throw new Error(`there is no Node ${missing.join(", no ")}: kubectl get nodes lists them`);
}
