/** As it is up to a thousand millions; beyond what can be counted by hand a power of two says more: `2^64`. */
export function formatCount(count: number | bigint): string {
  return count < 1_000_000_000 ? String(count) : `2^${Math.round(Math.log2(Number(count)))}`;
}
