/** The smaller of two; Math.min knows no bigint. */
export function lower(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

export function higher(a: bigint, b: bigint): bigint {
  return a < b ? b : a;
}
