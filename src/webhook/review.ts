import { setTimeout as pause } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { describeFaults } from "../api/fault-words.ts";
import { type PoolKind, poolKinds } from "../api/pool-kind.ts";
import { poolFaults } from "../api/pool-rules.ts";
import { describeOverlap, findOverlaps, type Overlap } from "../pool/overlaps.ts";
import { isObject } from "../text/json.ts";
import { type Known, readPoolClaim } from "./known.ts";

/** admission.k8s.io/v1 AdmissionRequest, as far as it is looked at. */
export type AdmissionRequest = {
  uid: string;
  kind: { kind: string };
  operation: string;
  subResource?: string;
  object?: unknown;
  oldObject?: unknown;
};

/** `refusal` says why; warnings are shown to who applied it, and it is taken. */
export type Verdict = { refusal?: string; warnings?: string[] };

/**
 * What the controller would say of a pool, before it is stored. Who asks comes second to everybody, whenever a pool was made: a change
 * must not take addresses from others. An object whose spec stays as it was is never refused, nor one that is being deleted.
 */
export async function review(
  request: AdmissionRequest,
  known: () => Promise<Known>,
  patienceMs: number,
): Promise<Verdict> {
  const kind = poolKinds.find((one) => one === request.kind.kind);
  const { object, oldObject } = request;
  if (!kind || request.subResource || !isObject(object) || isLeftAlone(object, oldObject)) return {};
  const faults = poolFaults(kind, isObject(object["spec"]) ? object["spec"] : {});
  if (faults.length > 0) return { refusal: describeFaults(faults) };
  try {
    const everything = await within(patienceMs, known());
    const overlap = overlapOf(kind, object, everything);
    if (!overlap) return {};
    const words = describeOverlap(nameOf(kind, object), overlap);
    // What overlaps already may be changed in other ways: the controller says so in its condition.
    return overlapOf(kind, oldObject, everything) ? { warnings: [words] } : { refusal: words };
  } catch (error) {
    return {
      warnings: [`not compared with what other pools, Nodes and Services have: ${(error as Error).message}`],
    };
  }
}

async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const ending = new AbortController();
  const late = pause(milliseconds, undefined, { signal: ending.signal }).then(() => {
    throw new Error("reading them takes too long; the controller does it");
  });
  late.catch(() => {});
  try {
    return await Promise.race([work, late]);
  } finally {
    ending.abort();
  }
}

function isLeftAlone(object: Record<string, unknown>, before: unknown): boolean {
  const isDeleted = isObject(object["metadata"]) && object["metadata"]["deletionTimestamp"] !== undefined;
  return isDeleted || (isObject(before) && isDeepStrictEqual(before["spec"], object["spec"]));
}

function overlapOf(kind: PoolKind, object: unknown, { pools, claims }: Known): Overlap | undefined {
  const own = readPoolClaim(kind, object, Number.POSITIVE_INFINITY);
  if (!own) return undefined;
  const others = pools.filter(({ key }) => key !== own.key);
  return findOverlaps([...others, own], claims).get(own.key);
}

function nameOf(kind: PoolKind, { metadata }: Record<string, unknown>): string {
  return `${kind} ${isObject(metadata) ? metadata["name"] : ""}`;
}
