/** The two kinds of pools: nv-ipam's spec fields, and ours behind them. */
export const poolKinds = ["IPPool", "CIDRPool"] as const;

export type PoolKind = (typeof poolKinds)[number];
