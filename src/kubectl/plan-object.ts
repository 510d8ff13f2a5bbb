import { createHash } from "node:crypto";
import { isStatus, unlessAbsent } from "../kube/api-error.ts";
import type { Client } from "../kube/client.ts";
import {
  type CommittedPlan,
  formatCommittedPlan,
  largestPlan,
  type PlanData,
  parseCommittedPlan,
  sizeOfPlan,
} from "../split/committed-plan.ts";
import type { JsonObject } from "../text/json.ts";

/** A plan as the API server has it, with what is needed to replace just this one. */
export type StoredPlan = { plan: CommittedPlan; data: PlanData; metadata: JsonObject };

/** Where the plan of an annotation lies. */
export type PlanPlace = { namespace: string; key: string; dryRun: boolean };

type ConfigMap = { metadata: JsonObject; data?: PlanData };

/** Plans are found by it: `kubectl get configmap -A -l kube-node.io/plan=split`. */
const labels = { "kube-node.io/plan": "split" };

/** A ConfigMap's name can't hold every annotation's key: its hash stands in, the key itself in the data. */
export function nameOfPlan(key: string): string {
  return `kube-node-split.${createHash("sha256").update(key).digest("hex").slice(0, 16)}`;
}

/** Undefined where the annotation has no plan yet. Throws an Error where there is one that can't be read. */
export async function readPlan(
  client: Client,
  { namespace, key }: PlanPlace,
): Promise<StoredPlan | undefined> {
  const found = await unlessAbsent(client.get<ConfigMap>(`${folder(namespace)}/${nameOfPlan(key)}`));
  return found && parse(found, key);
}

/**
 * Puts a plan in the place of the one that was read (`before`), or of none: undefined where another run was first. Each commit counts
 * `revision` up, even where nothing else changes: whoever read the plan before this one can't commit any more.
 */
export async function commitPlan(
  client: Client,
  { namespace, key, dryRun }: PlanPlace,
  plan: CommittedPlan,
  before: StoredPlan | undefined,
): Promise<StoredPlan | undefined> {
  const revision = String(Number(before?.data["revision"] ?? 0) + 1);
  const data = { ...formatCommittedPlan(plan), revision };
  refuseTooLarge(data, plan);
  const name = nameOfPlan(key);
  const metadata = { ...(before?.metadata ?? { name, namespace, labels }), managedFields: undefined };
  const object = { apiVersion: "v1", kind: "ConfigMap", metadata, data };
  const query = dryRun ? "?dryRun=All" : "";
  try {
    const stored = before
      ? await client.replace<ConfigMap>(`${folder(namespace)}/${name}${query}`, object)
      : await client.create<ConfigMap>(`${folder(namespace)}${query}`, object);
    return parse(stored, key);
  } catch (error) {
    if (isStatus(error, 409) || (before && isStatus(error, 404))) return undefined;
    throw error;
  }
}

/** Whether a commit of the plan would change nothing but the revision. */
export function isCommitted(plan: CommittedPlan, stored: StoredPlan | undefined): boolean {
  const data = formatCommittedPlan(plan);
  return stored !== undefined && Object.entries(data).every(([key, text]) => stored.data[key] === text);
}

function folder(namespace: string): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps`;
}

function parse({ metadata, data = {} }: ConfigMap, key: string): StoredPlan {
  const where = `ConfigMap ${metadata["namespace"]}/${metadata["name"]}`;
  try {
    const plan = parseCommittedPlan(data);
    if (plan.key !== key) throw new Error(`key: expected ${key}, found ${plan.key}`);
    return { plan, data, metadata };
  } catch (error) {
    throw new Error(`${where}, the plan of ${key}, can't be used: ${(error as Error).message}`);
  }
}

function refuseTooLarge(data: PlanData, { holders }: CommittedPlan): void {
  const size = sizeOfPlan(data);
  if (size <= largestPlan) return;
  const fitting = Math.floor((holders.length * largestPlan) / size);
  throw new Error(
    `the plan of ${holders.length} Nodes takes ${size} bytes, and a ConfigMap holds ${largestPlan}: about ${fitting} Nodes with names of this length fit; use an annotation of its own for each part of the cluster (-l)`,
  );
}
