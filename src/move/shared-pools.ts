import { type PoolReference, poolAnnotationKey } from "../api/pool-names.ts";

/** A network of pools as its definition (NAMESPACE/NAME) has it: `network` is what its leases are kept by, `keys` are its pools'. */
export type PoolNetwork = { definition: string; network: string; keys: readonly string[] };

/** nv-ipam kept a pool's leases for all networks together, host-local keeps them by the network's name: two of them could give one address. */
export function doubtSharers(pool: PoolReference, networks: readonly PoolNetwork[]): string[] {
  const key = poolAnnotationKey(pool);
  const byName = Map.groupBy(
    networks.filter(({ keys }) => keys.includes(key)),
    ({ network }) => network,
  );
  if (byName.size < 2) return [];
  const who = [...byName].map(
    ([network, all]) => `${network} (${all.map(({ definition }) => definition).join(", ")})`,
  );
  return [
    `networks ${who.sort().join(" and ")} name it: here each keeps leases of its own on a node, so one address could be given in each: give all but one a pool of their own, or one name to all`,
  ];
}
