import type { Span } from "../address/range.ts";

export type Spanned = { readonly span: Span };

/** Things with spans, to be found by address. `reach`: the highest address of each and all before it in its family. */
export type SpanIndex<T extends Spanned> = { readonly items: readonly T[]; readonly reach: readonly Edge[] };

type Edge = { readonly family: 4 | 6; readonly value: bigint };

/** `items` have to be sorted as compareSpans does. */
export function indexSpans<T extends Spanned>(items: readonly T[]): SpanIndex<T> {
  const reach: Edge[] = [];
  for (const { span } of items) {
    const before = reach.at(-1);
    const isFarther = before?.family === span.last.family && before.value > span.last.value;
    reach.push(isFarther ? before : span.last);
  }
  return { items, reach };
}

/** What shares an address with `span`, in order. */
export function findWithin<T extends Spanned>({ items, reach }: SpanIndex<T>, span: Span): T[] {
  const found: T[] = [];
  for (let at = firstReaching(reach, span.first); at < items.length; at++) {
    const item = items[at] as T;
    if (isBefore(span.last, item.span.first)) break;
    if (!isBefore(item.span.last, span.first)) found.push(item);
  }
  return found;
}

function firstReaching(reach: readonly Edge[], address: Edge): number {
  let low = 0;
  let high = reach.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(reach[middle] as Edge, address)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function isBefore(a: Edge, b: Edge): boolean {
  return a.family === b.family ? a.value < b.value : a.family < b.family;
}
