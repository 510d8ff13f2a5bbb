import { type Cidr, firstOf, lastOf } from "../address/cidr.ts";
import { bitsOf } from "../address/ip.ts";
import { countOf, overlaps, type Span } from "../address/range.ts";
import { higher } from "./order.ts";
import { indexSpans, type SpanIndex, type Spanned } from "./span-index.ts";
import { typicalSize } from "./strips.ts";
import type { Block } from "./territory.ts";

/** A part of the address space that is drawn as one picture, with the blocks that touch it. */
export type Section = {
  readonly network: Cidr;
  readonly blocks: Block[];
  /** Addresses of the section that nobody gets; by address, none touching another. */
  readonly excluded?: readonly Span[];
};

// Where less than a thousandth of a common network is near any block, its two halves are better drawn each for itself.
const farApart = 1024n;

/** The smallest common network of each family's blocks, cut in two, and again, where its blocks lie far apart. */
export function sectionsOf(blocks: Block[]): Section[] {
  return [4, 6].flatMap((family) => {
    const own = blocks.filter(({ span }) => span.first.family === family);
    return own.length === 0 ? [] : cut(own);
  });
}

/** One section for each of these networks, whatever lies in them. */
export function sectionsWithin(blocks: Block[], networks: Cidr[]): Section[] {
  return networks.map((network) => ({
    network,
    blocks: blocks.filter(({ span }) => overlaps(span, { first: firstOf(network), last: lastOf(network) })),
  }));
}

function cut(blocks: Block[]): Section[] {
  const whole = section(blocks);
  const middle = firstOf(whole.network).value + (countOf(spanOfSection(whole)) >> 1n);
  const lower = blocks.filter(({ span }) => span.last.value < middle);
  const upper = blocks.filter(({ span }) => span.first.value >= middle);
  if (lower.length === 0 || upper.length === 0 || lower.length + upper.length < blocks.length) return [whole];
  const near = [lower, upper].map((part) => countOf(spanOfSection(section(part))));
  const isSparse = near.reduce((sum, size) => sum + size, 0n) * farApart < countOf(spanOfSection(whole));
  return isSparse ? [...cut(lower), ...cut(upper)] : [whole];
}

function section(blocks: Block[]): Section {
  const [{ span }] = blocks as [Block];
  const lowest = span.first.value;
  const highest = blocks.reduce((high, { span }) => higher(high, span.last.value), span.last.value);
  const differing = (lowest ^ highest).toString(2);
  const prefix = bitsOf(span.first.family) - (differing === "0" ? 0 : differing.length);
  return { network: { ip: firstOf({ ip: span.first, prefix }), prefix }, blocks };
}

/** All addresses of a section. */
export function spanOfSection({ network }: Section): Span {
  return { first: firstOf(network), last: lastOf(network) };
}

/** What is not free of a section, by address. */
export function occupiedOf({ blocks, excluded = [] }: Section): Span[] {
  const spans = blocks.map(({ span }) => span);
  if (excluded.length === 0) return spans;
  return [...spans, ...excluded].sort((a, b) => (a.first.value < b.first.value ? -1 : 1));
}

/** What is excluded of a section, to be found by address. */
export function indexExcluded({ excluded = [] }: Section): SpanIndex<Spanned> {
  return indexSpans(excluded.map((span) => ({ span })));
}

/** The size that most of its blocks have; all of it where it has none. */
export function usualSize(section: Section): bigint {
  const { blocks } = section;
  return blocks.length > 0 ? typicalSize(blocks.map(({ span }) => span)) : countOf(spanOfSection(section));
}
