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
  return blocksAndGaps(strip, index).flatMap((segment) =>
    segment.blocks.length > 0 ? [segment] : splitGap(segment.span, excluded),
  );
}

function splitGap(gap: Span, excluded: SpanIndex<Spanned>): Segment[] {
  const segments: Segment[] = [];
  const ip = (value: bigint): Ip => ({ family: gap.first.family, value });
  let next = gap.first.value;
  for (const one of findWithin(excluded, gap)) {
    const span = clip(one.span, gap);
    if (span.first.value > next)
      segments.push({ span: { first: ip(next), last: ip(span.first.value - 1n) }, blocks: [] });
    segments.push({ span, blocks: [], isExcluded: true });
    next = span.last.value + 1n;
  }
  if (next <= gap.last.value) segments.push({ span: { first: ip(next), last: gap.last }, blocks: [] });
  return segments;
}

function blocksAndGaps(strip: Span, index: SpanIndex<Block>): Segment[] {
  const segments: Segment[] = [];
  const ip = (value: bigint): Ip => ({ family: strip.first.family, value });
  let next = strip.first.value;
  for (const block of findWithin(index, strip)) {
    const span = clip(block.span, strip);
    if (span.first.value > next)
      segments.push({ span: { first: ip(next), last: ip(span.first.value - 1n) }, blocks: [] });
    if (span.last.value >= next) next = span.last.value + 1n;
    const before = segments.at(-1);
    const isSame = before !== undefined && before.blocks.length > 0 && equal(before.span, span);
    if (isSame) before.blocks.push(block);
    else segments.push({ span, blocks: [block] });
  }
  if (next <= strip.last.value) segments.push({ span: { first: ip(next), last: strip.last }, blocks: [] });
  return segments;
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
