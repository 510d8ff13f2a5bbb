import { formatIp, type Ip } from "../address/ip.ts";
import { countOf, type Span } from "../address/range.ts";
import { higher, lower } from "./order.ts";

/** A line of a picture: a strip of address space, or a gap that stands for many strips with nothing in them. */
export type Line = { readonly kind: "strip" | "gap"; readonly span: Span };

// This many empty strips one after the other are drawn as one gap.
const gapFrom = 3n;

/**
 * Address space wrapped into lines of `size` addresses, a power of two. Every strip that shares an address with an occupied span
 * is there; `occupied` has to be sorted.
 */
export function stripsOf(space: Span, occupied: readonly Span[], size: bigint): Line[] {
  return runsOf(space, occupied, size).flatMap(({ first, last, isEmpty }) => {
    if (isEmpty && last - first + 1n >= gapFrom) return [lineOf("gap", space, first, last, size)];
    return Array.from({ length: Number(last - first + 1n) }, (_, at) =>
      lineOf("strip", space, first + BigInt(at), first + BigInt(at), size),
    );
  });
}

/** Characters of the longest first address. */
export function labelWidth(lines: readonly Line[]): number {
  return lines.reduce((width, { span }) => Math.max(width, formatIp(span.first).length), 0);
}

/** How many lines `stripsOf` would give. */
export function countStrips(space: Span, occupied: readonly Span[], size: bigint): bigint {
  return runsOf(space, occupied, size).reduce((sum, { first, last, isEmpty }) => {
    const count = last - first + 1n;
    return sum + (isEmpty && count >= gapFrom ? 1n : count);
  }, 0n);
}

type Run = { first: bigint; last: bigint; isEmpty: boolean };

/** The numbers of strips, first to last, as runs of occupied and of empty ones. */
function runsOf(space: Span, occupied: readonly Span[], size: bigint): Run[] {
  const lowest = space.first.value / size;
  const highest = space.last.value / size;
  const runs: Run[] = [];
  let next = lowest;
  for (const { first, last } of occupied) {
    const from = higher(first.value / size, next);
    const to = lower(last.value / size, highest);
    if (to < from) continue;
    if (from > next) runs.push({ first: next, last: from - 1n, isEmpty: true });
    const before = runs.at(-1);
    if (before && !before.isEmpty) before.last = to;
    else runs.push({ first: from, last: to, isEmpty: false });
    next = to + 1n;
  }
  if (next <= highest) runs.push({ first: next, last: highest, isEmpty: true });
  return runs;
}

function lineOf(kind: Line["kind"], space: Span, first: bigint, last: bigint, size: bigint): Line {
  const at = (value: bigint): Ip => ({ family: space.first.family, value });
  return {
    kind,
    span: {
      first: at(higher(first * size, space.first.value)),
      last: at(lower((last + 1n) * size - 1n, space.last.value)),
    },
  };
}

/** The size that most spans have, rounded down to a power of two; the smallest of those that are equally frequent. */
export function typicalSize(spans: readonly Span[]): bigint {
  const counts = new Map<bigint, number>();
  for (const span of spans) {
    const size = 1n << BigInt(countOf(span).toString(2).length - 1);
    counts.set(size, (counts.get(size) ?? 0) + 1);
  }
  const [best] = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return best?.[0] ?? 1n;
}
