/** The value below which a share `q` (0 to 1) of the numbers lies, between neighbours by proportion. NaN for none. */
export function quantile(numbers: number[], q: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * q;
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}

export const median = (numbers: number[]): number => quantile(numbers, 0.5);

/** How far apart the middle half of the numbers lies, as a part of their median. */
export function spread(numbers: number[]): number {
  return (quantile(numbers, 0.75) - quantile(numbers, 0.25)) / median(numbers);
}

/** The median of what `a` is of `b`, number by number: what slows both down at the same time doesn't count. */
export function pairedRatio(a: number[], b: number[]): number {
  const pairs = Math.min(a.length, b.length);
  return median(a.slice(0, pairs).map((value, index) => value / (b[index] as number)));
}
