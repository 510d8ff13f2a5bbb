/** The two kinds of pools: an IPPool is one flat subnet, a CIDRPool a network that is cut into one subnet a node. */
export const poolKinds = ["IPPool", "CIDRPool"] as const;

export type PoolKind = (typeof poolKinds)[number];
