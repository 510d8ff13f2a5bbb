/** `25,300`, or `2^64` where a number is too long to be read. */
export function formatCount(count: number | bigint): string {
  if (count < 1_000_000_000_000n) return count.toLocaleString("en-US");
  const bits = BigInt(count).toString(2).length;
  const isNearer = BigInt(count) - (1n << BigInt(bits - 1)) > 1n << BigInt(bits - 2);
  return `2^${isNearer ? bits : bits - 1}`;
}

/** `9 %`; what isn't nothing is never 0 %, and what isn't all never 100 %. */
export function formatShare(part: number | bigint, whole: number | bigint): string {
  const share = (100 * Number(part)) / Number(whole);
  if (!(share > 0)) return "0 %";
  if (share < 1) return "under 1 %";
  return `${share < 100 ? Math.min(99, Math.round(share)) : Math.round(share)} %`;
}

/** `1 node`, `5,000 nodes`. */
export function count(number: number | bigint, one: string, several = `${one}s`): string {
  return `${formatCount(number)} ${Number(number) === 1 ? one : several}`;
}
