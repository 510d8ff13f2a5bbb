/** The two kinds of pools: an IPPool is one flat subnet, a CIDRPool a network that is cut into one subnet a node. */
export const poolKinds = ["IPPool", "CIDRPool"] as const;

export type PoolKind = (typeof poolKinds)[number];

/** A pool's name stands behind the slash of an annotation's key, which takes no more. */
export const longestPoolName = 63;

/** A name that a pool can have. */
export function isPoolName(text: string): boolean {
  return text.length <= longestPoolName && /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(text);
}
