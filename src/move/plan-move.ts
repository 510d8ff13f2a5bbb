import { allowOverlapKey, type NvPool } from "../api/nv-ipam.ts";
import { poolKey } from "../api/pool-names.ts";
import { claimOfPool } from "../pool/claims.ts";
import { describeOverlap, findOverlaps } from "../pool/overlaps.ts";
import { type PoolClaims, planClaims, type Surroundings } from "./plan-claims.ts";
import { doubtSharers, type PoolNetwork } from "./shared-pools.ts";

/** All of nv-ipam's pools. `elsewhere` are those in namespaces that aren't asked for: they are said, and nothing else. */
export type MovePlan = { pools: PoolClaims[]; elsewhere: NvPool[] };

/** Plans each pool by itself, and compares them all. */
export function planMove(
  all: readonly NvPool[],
  namespace: string,
  surroundings: Surroundings,
  networks: readonly PoolNetwork[],
): MovePlan {
  const pools = all
    .filter((one) => one.namespace === namespace)
    .map((from) =>
      doubting(planClaims(from, surroundings), [...namesakes(from, all), ...doubtSharers(from, networks)]),
    );
  const overlaps = findOverlaps(
    pools.flatMap(({ pool }) => (pool ? [claimOfPool(pool, 0)] : [])),
    [],
  );
  return {
    pools: pools.map((one) => {
      const overlap = overlaps.get(poolKey(one.from));
      if (!overlap) return one;
      const words = describeOverlap(`${one.from.kind} ${one.from.name}`, overlap);
      return {
        ...one,
        notes: [
          ...one.notes,
          `${words} (of nv-ipam's: ${allowOverlapKey}=true as its annotation); what is given stays, and no new node gets a block`,
        ],
      };
    }),
    elsewhere: all.filter((one) => one.namespace !== namespace),
  };
}

function doubting(claims: PoolClaims, doubts: string[]): PoolClaims {
  return doubts.length === 0 ? claims : { ...claims, create: [], doubts: [...doubts, ...claims.doubts] };
}

/** A pool of ours has no namespace: one kind and name is one pool. */
function namesakes({ kind, name, namespace, uid }: NvPool, all: readonly NvPool[]): string[] {
  const others = all.filter((one) => one.kind === kind && one.name === name && one.uid !== uid);
  return others.map(
    (one) =>
      `namespace ${one.namespace} has ${kind} ${name} as well as ${namespace}: delete or rename one of them`,
  );
}
