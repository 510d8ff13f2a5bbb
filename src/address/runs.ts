/** Numbers that lie side by side, both ends included. */
export type Run = { readonly first: bigint; readonly last: bigint };

/** In order, none touching another. */
export function mergeRuns(runs: readonly Run[]): Run[] {
  const sorted = runs.toSorted((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  const merged: Run[] = [];
  for (const run of sorted) {
    const before = merged.at(-1);
    if (!before || run.first > before.last + 1n) merged.push(run);
    else if (run.last > before.last) merged[merged.length - 1] = { first: before.first, last: run.last };
  }
  return merged;
}

/** The first of merged runs that ends at `value` or behind it. */
export function runFrom(runs: readonly Run[], value: bigint): Run | undefined {
  return runs[placeOf(runs, value)];
}

/** Whether one of merged runs holds the value. */
export function isIn(runs: readonly Run[], value: bigint): boolean {
  const run = runFrom(runs, value);
  return run !== undefined && run.first <= value;
}

/** What merged runs have from `whole`'s first to its last. */
export function clip(runs: readonly Run[], { first, last }: Run): Run[] {
  const inside: Run[] = [];
  for (let at = placeOf(runs, first); at < runs.length; at++) {
    const run = runs[at] as Run;
    if (run.first > last) break;
    inside.push({ first: run.first > first ? run.first : first, last: run.last < last ? run.last : last });
  }
  return inside;
}

/** What of `whole` is in none of the merged runs. */
export function gaps(whole: Run, taken: readonly Run[]): Run[] {
  const left: Run[] = [];
  let next = whole.first;
  for (const { first, last } of clip(taken, whole)) {
    if (first > next) left.push({ first: next, last: first - 1n });
    next = last + 1n;
  }
  if (next <= whole.last) left.push({ first: next, last: whole.last });
  return left;
}

/** How many numbers merged runs hold. */
export function countIn(runs: readonly Run[]): bigint {
  return runs.reduce((sum, { first, last }) => sum + last - first + 1n, 0n);
}

function placeOf(runs: readonly Run[], value: bigint): number {
  let [low, high] = [0, runs.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((runs[middle] as Run).last < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
