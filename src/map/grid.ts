import { countOf, type Span } from "../address/range.ts";
import { lower } from "./order.ts";
import { occupiedOf, type Section, spanOfSection, usualSize } from "./sections.ts";
import { countStrips } from "./strips.ts";

/** How a section is laid out in a picture: addresses a line, and how many blocks of the usual size they make. */
export type Grid = { readonly size: bigint; readonly slots: number };

// Up to so many places for blocks, so many of them in a line: few are large enough to have their names written on them.
const steps = [
  { upTo: 16n, slots: 4 },
  { upTo: 64n, slots: 8 },
  { upTo: 512n, slots: 16 },
  { upTo: 2048n, slots: 32 },
];

/** The grid for a section in at most so many lines; in fewer where blocks are few and far between. */
export function gridFor(section: Section, maxLines: number): Grid {
  const space = spanOfSection(section);
  const spans = occupiedOf(section);
  const typical = usualSize(section);
  const places = countStrips(space, spans, typical);
  const slots = steps.find(({ upTo }) => places <= upTo)?.slots ?? 64;
  let size = lower(typical * BigInt(slots), countOf(space));
  const enough = Math.min(maxLines, 24 + Math.ceil((2 * spans.length) / slots));
  while (size < countOf(space) && countStrips(space, spans, size) > enough) size *= 2n;
  return { size, slots };
}

/** Where a span lies in a line that begins at `start`: from and to, in parts of the line. */
export function placeIn(start: bigint, size: bigint, { first, last }: Span): { from: number; to: number } {
  const part = (value: bigint): number => Number(((value - start) * 1_000_000n) / size) / 1_000_000;
  return { from: part(first.value), to: part(last.value + 1n) };
}
