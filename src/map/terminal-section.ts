import { formatCidr } from "../address/cidr.ts";
import { formatIp } from "../address/ip.ts";
import { countOf, type Span } from "../address/range.ts";
import type { Paint } from "../terminal/paint.ts";
import { type Glyphs, shadeGlyph } from "./glyphs.ts";
import { formatCount } from "./numbers.ts";
import { lower } from "./order.ts";
import { indexExcluded, occupiedOf, type Section, spanOfSection, usualSize } from "./sections.ts";
import { findWithin, indexSpans, type SpanIndex, type Spanned } from "./span-index.ts";
import { countStrips, type Line, labelWidth, stripsOf } from "./strips.ts";
import type { Block } from "./territory.ts";
import { type Scale, scaleFor, shadeOf, useOf } from "./use.ts";
import { describeGap, describeSection, describeSize, noteClosing } from "./words.ts";
import { wrap } from "./wrap.ts";

/** How a section is drawn: characters a line, addresses a character, and whether the nodes' names stand behind each line. */
type Fit = { columns: number; unit: bigint; isNamed: boolean };

export type Style = {
  glyphs: Glyphs;
  paint: Paint;
  /** How a node's characters are painted. */
  hue: (node: string) => (text: string) => string;
};

/** Lines that a section takes where every block of the usual size has a line of its own. */
export function wantedLines(section: Section): number {
  const lines = countStrips(spanOfSection(section), occupiedOf(section), usualSize(section));
  return Number(lines < 10_000n ? lines : 10_000n) + headingLines;
}

// A heading, which may need a second line.
const headingLines = 2;

/** At most `height` lines with the heading, each `width` at most; more only where the section can't be drawn in fewer. */
export function drawSection(section: Section, width: number, height: number, style: Style): string[] {
  const { fit, lines, label } = layOut(section, width, Math.max(1, height - headingLines));
  const scale = scaleFor(section.blocks);
  const index = indexSpans(section.blocks);
  const excluded = indexExcluded(section);
  return [
    ...describeFit(section, fit, scale, width, style.paint),
    ...lines.map((line) => {
      if (line.kind === "gap") return drawGap(line, label, fit, style);
      const start = formatIp(line.span.first).padEnd(label);
      const cells = drawCells(line, fit.unit, { index, excluded, scale }, style);
      const names = fit.isNamed
        ? `  ${nameBlocks(findWithin(index, line.span), width - label - fit.columns - 3, style.glyphs.more)}`
        : "";
      return `${style.paint.dim(start)} ${cells}${names}`.trimEnd();
    }),
  ];
}

type Layout = { fit: Fit; lines: Line[]; label: number };

/** The first addresses of lines may turn out to be longer than expected: then there is less room beside them. */
function layOut(section: Section, width: number, height: number, expected = 8): Layout {
  const space = spanOfSection(section);
  const spans = occupiedOf(section);
  const fit = fitSection(section, width - expected - 1, height);
  const lines = stripsOf(space, spans, fit.unit * BigInt(fit.columns));
  const label = labelWidth(lines);
  return label > expected ? layOut(section, width, height, label) : { fit, lines, label };
}

function fitSection(section: Section, room: number, height: number): Fit {
  const spans = occupiedOf(section);
  const space = spanOfSection(section);
  // What is shown may be a part of a block.
  const typical = lower(usualSize(section), countOf(space));
  if (countStrips(space, spans, typical) <= height) {
    const columns = Math.min(powerBelow(room / 2), Number(typical < 64n ? typical : 64n));
    return { columns, unit: typical / BigInt(columns), isNamed: true };
  }
  const columns = powerBelow(Math.min(room, 128));
  let size = typical * 2n > BigInt(columns) ? typical * 2n : BigInt(columns);
  while (size < countOf(space) && countStrips(space, spans, size) > height) size *= 2n;
  return { columns, unit: size / BigInt(columns), isNamed: false };
}

function powerBelow(room: number): number {
  return 2 ** Math.floor(Math.log2(Math.max(1, room)));
}

function describeFit(
  section: Section,
  { unit, isNamed }: Fit,
  scale: Scale,
  width: number,
  paint: Paint,
): string[] {
  const network = formatCidr(section.network);
  const character = isNamed ? "" : `; 1 character = ${describeSize(section.network.ip.family, unit)}`;
  const [first = "", ...others] = wrap(
    `${network}  ${describeSection(section, scale)}${character}`,
    width,
    "  ",
  );
  return [paint.bold(first.slice(0, network.length)) + first.slice(network.length), ...others];
}

function drawGap({ span }: Line, label: number, { unit, columns }: Fit, { glyphs, paint }: Style): string {
  const words = describeGap(span, unit * BigInt(columns)).replace("×", glyphs.times);
  return paint.dim(`${" ".repeat(label)} ${glyphs.gap} ${words}`);
}

type Ground = { index: SpanIndex<Block>; excluded: SpanIndex<Spanned>; scale: Scale };

function drawCells({ span }: Line, unit: bigint, { index, excluded, scale }: Ground, style: Style): string {
  const { family, value } = span.first;
  const cells = Array.from({ length: Number(countOf(span) / unit) }, (_, at) => {
    const first = value + BigInt(at) * unit;
    const cell: Span = { first: { family, value: first }, last: { family, value: first + unit - 1n } };
    const blocks = findWithin(index, cell);
    if (blocks.length === 0 && findWithin(excluded, cell).some((one) => covers(one.span, cell)))
      return { text: style.glyphs.excluded, paint: style.paint.dim };
    return drawCell(blocks, scale, style);
  });
  return joinPainted(cells);
}

function covers(span: Span, cell: Span): boolean {
  return span.first.value <= cell.first.value && cell.last.value <= span.last.value;
}

type Painted = { text: string; paint: (text: string) => string };

function drawCell(blocks: Block[], scale: Scale, { glyphs, paint, hue }: Style): Painted {
  const [block] = blocks;
  if (!block) return { text: glyphs.free, paint: paint.dim };
  if (isContested(blocks)) return { text: glyphs.conflict, paint: paint.red };
  return { text: shadeGlyph(glyphs, shadeOf(useOf(blocks), blocks.length, scale)), paint: hue(block.node) };
}

/** Whether two of these blocks, which are by address, share one. */
function isContested(blocks: Block[]): boolean {
  return blocks.some(
    ({ span }, at) => at > 0 && span.first.value <= (blocks[at - 1] as Block).span.last.value,
  );
}

/** One escape sequence for a run of characters in one colour. */
function joinPainted(cells: Painted[]): string {
  const runs: Painted[] = [];
  for (const { text, paint } of cells) {
    const run = runs.at(-1);
    if (run?.paint === paint) run.text += text;
    else runs.push({ text, paint });
  }
  return runs.map(({ text, paint }) => paint(text)).join("");
}

function nameBlocks(blocks: Block[], width: number, more: string): string {
  const names = blocks.map((block) => {
    const { node, held, usable } = block;
    const of = usable < 1_000_000n ? ` of ${formatCount(usable)}` : "";
    return `${noteClosing(node, block)} ${formatCount(held.length)}${of}`;
  });
  const text = names.join(", ");
  if (text.length <= width) return text;
  return width > more.length ? `${text.slice(0, width - more.length)}${more}` : "";
}
