import { firstOf, lastOf } from "../address/cidr.ts";
import { type PoolKind, poolKinds } from "../api/pool-kind.ts";
import { poolFaults, poolNetwork } from "../api/pool-rules.ts";
import { isObject, kindOf } from "../text/json.ts";
import { didYouMean } from "../text/nearest.ts";
import { formatFault, formatPath } from "./ipam.ts";
import type { Located } from "./located.ts";
import type { Claimed } from "./overlaps.ts";
import type { Report } from "./report.ts";

/** Ours, and those of nv-ipam, whose manifests move by changing this. */
const groups = ["ipam.kube-node.io", "nv-ipam.nvidia.com"];
const version = "v1alpha1";
const topKeys = ["apiVersion", "kind", "metadata", "spec", "status"];

/** Others have kinds of these names, too. */
export function isPool(kind: string, apiVersion: string): kind is PoolKind {
  return (poolKinds as readonly string[]).includes(kind) && groups.includes(apiVersion.split("/")[0] ?? "");
}

export function checkPool(kind: PoolKind, located: Located, report: Report, claims: Claimed[]): void {
  const value = located.value as { apiVersion: string; metadata?: unknown; spec?: unknown };
  const { apiVersion, metadata, spec } = value;
  const [group] = apiVersion.split("/");
  if (apiVersion !== `${group}/${version}`)
    report.error(located.at(["apiVersion"]), `apiVersion: ${apiVersion}: expected ${group}/${version}`);
  const name = isObject(metadata) ? metadata["name"] : undefined;
  if (typeof name !== "string" || name === "")
    report.error(located.at(["metadata"]), "metadata.name is missing");
  for (const key of Object.keys(value)) {
    if (!topKeys.includes(key))
      report.error(located.key([key]), `${key}: unknown key${didYouMean(key, topKeys)}`);
  }
  if (!isObject(spec)) {
    report.error(located.at(["spec"]), `spec: expected an object, found ${kindOf(spec)}`);
    return;
  }
  const faults = poolFaults(kind, spec);
  for (const { path, words } of faults) {
    const full = ["spec", ...path];
    const at = words.startsWith("unknown key") ? located.key(full) : located.at(full);
    report.error(at, formatFault({ path: formatPath(full), words }));
  }
  const cidr = poolNetwork(kind, spec);
  if (!cidr || faults.length > 0) return;
  const span = { first: firstOf(cidr), last: lastOf(cidr) };
  const at = located.at(["spec", kind === "IPPool" ? "subnet" : "cidr"]);
  // Pools of networks that never meet may have the same addresses.
  claims.push({ space: "pools", owner: `${kind} ${name}`, span, at, report, severity: "warning" });
}
