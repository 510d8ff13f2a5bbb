import { poolAnnotationKey, poolOfAnnotationKey } from "../api/pool-names.ts";
import type { PoolCondition } from "../api/pool-status.ts";
import { type Claim, claimsOfAnnotation, claimsOfPodCIDRs, claimsOfServices } from "../pool/claims.ts";
import { describeOverlap } from "../pool/overlaps.ts";
import type { Finding } from "./findings.ts";
import { type NodeRanges, podCIDRsKey } from "./node-ranges.ts";
import { claimsOfPools, overlapOfPool } from "./pool-claims.ts";
import type { PoolObject, PoolObjects } from "./pool-objects.ts";
import { labelOfKey } from "./pool-ranges.ts";
import type { Survey } from "./survey.ts";

/**
 * Pools that have addresses in common with what people or Kubernetes give, and those that kube-node-controller calls not ready. `isChosen`:
 * keys that are looked at; a pool whose key isn't is compared with the annotations of those that are.
 */
export function findPoolStates(
  { ranges, serviceCIDRs }: Survey,
  objects: PoolObjects,
  isChosen: (key: string) => boolean,
): Finding[] {
  const ofNodes = ranges.flatMap(claimsOf);
  const all = [...claimsOfServices(serviceCIDRs), ...ofNodes];
  const overlaps = new Map(
    claimsOfPools(objects).flatMap(({ reference, ...pool }) => {
      const key = poolAnnotationKey(reference);
      const overlap = overlapOfPool(pool, isChosen(key) ? all : ofNodes);
      return overlap ? [[key, describeOverlap(pool.owner, overlap)] as const] : [];
    }),
  );
  const unready = objects.pools.filter((pool) => isChosen(poolAnnotationKey(pool)));
  return [
    ...[...overlaps].map(([key, message]) => found("overlap", key, message)),
    ...unready.flatMap((pool) => judge(pool, overlaps.has(poolAnnotationKey(pool)))),
  ];
}

/** What a Node has by podCIDRs, or by an annotation that somebody wrote; a pool's annotation is the pool's own. */
function claimsOf({ node, key, ranges }: NodeRanges): Claim[] {
  if (poolOfAnnotationKey(key)) return [];
  if (key !== podCIDRsKey) return claimsOfAnnotation(node, key, ranges);
  return claimsOfPodCIDRs(
    node,
    ranges.flat().map(({ subnet }) => subnet),
  );
}

/** A pool that goes waits for its blocks, as it should; an overlap that was found here is said already. */
function judge(pool: PoolObject, isSaid: boolean): Finding[] {
  const ready = pool.status.conditions?.find(({ type, status }) => type === "Ready" && status === "False");
  if (!ready || pool.deleting || (isSaid && ready.reason === "Overlap")) return [];
  return [found("not-ready", poolAnnotationKey(pool), describe(pool, ready))];
}

function describe({ kind, name }: PoolObject, { reason, message }: PoolCondition): string {
  return `${kind} ${name} is not ready, as kube-node-controller says (${reason}): ${message}`;
}

function found(check: Finding["check"], key: string, message: string): Finding {
  return { check, subjects: [labelOfKey(key)], key, message };
}
