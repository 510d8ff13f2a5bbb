import type { Ip } from "../address/ip.ts";
import type { Span } from "../address/range.ts";
import { findWithin, type SpanIndex, type Spanned } from "./span-index.ts";
import type { Block } from "./territory.ts";

/**
 * A piece of a strip: the blocks that have just this span in it (several only where they conflict), or nobody's addresses, which may be
 * excluded.
 */
export type Segment = { readonly span: Span; readonly blocks: Block[]; readonly isExcluded?: true };

/** A strip's pieces from left to right; a block inside another comes after it. */
export function segmentsOf(strip: Span, index: SpanIndex<Block>, excluded: SpanIndex<Spanned>): Segment[] {
  return piecesOf(strip, index).flatMap(({ span, items: blocks }) =>
    blocks.length > 0 ? [{ span, blocks }] : nobodysIn(span, excluded),
  );
}

function nobodysIn(gap: Span, excluded: SpanIndex<Spanned>): Segment[] {
  return piecesOf(gap, excluded).map(({ span, items }) => ({
    span,
    blocks: [],
    ...(items.length > 0 && { isExcluded: true }),
  }));
}

/** What lies in a strip, and what is left of it between that. */
function piecesOf<T extends Spanned>(strip: Span, index: SpanIndex<T>): { span: Span; items: T[] }[] {
  const pieces: { span: Span; items: T[] }[] = [];
  const ip = (value: bigint): Ip => ({ family: strip.first.family, value });
  let next = strip.first.value;
  for (const item of findWithin(index, strip)) {
    const span = clip(item.span, strip);
    if (span.first.value > next)
      pieces.push({ span: { first: ip(next), last: ip(span.first.value - 1n) }, items: [] });
    if (span.last.value >= next) next = span.last.value + 1n;
    const before = pieces.at(-1);
    const isSame = before !== undefined && before.items.length > 0 && equal(before.span, span);
    if (isSame) before.items.push(item);
    else pieces.push({ span, items: [item] });
  }
  if (next <= strip.last.value) pieces.push({ span: { first: ip(next), last: strip.last }, items: [] });
  return pieces;
}

/** What of a span lies in a strip that it shares addresses with. */
export function clip(span: Span, strip: Span): Span {
  return {
    first: span.first.value < strip.first.value ? strip.first : span.first,
    last: span.last.value > strip.last.value ? strip.last : span.last,
  };
}

function equal(a: Span, b: Span): boolean {
  return a.first.value === b.first.value && a.last.value === b.last.value;
}
