import { formatCidr } from "../address/cidr.ts";
import { formatIp } from "../address/ip.ts";
import type { Span } from "../address/range.ts";
import { gridFor, placeIn } from "../map/grid.ts";
import { formatCount } from "../map/numbers.ts";
import { type Section, spanOfSection } from "../map/sections.ts";
import { type Segment, segmentsOf } from "../map/segments.ts";
import { indexSpans } from "../map/span-index.ts";
import { stripsOf } from "../map/strips.ts";
import type { Block } from "../map/territory.ts";
import { levelOf, type Scale, scaleFor, useOf } from "../map/use.ts";
import { describeGap, describeSection, describeSpan, describeUse } from "../map/words.ts";
import type { Item, Row } from "./rows.ts";

const maxLines = 2000;

/** `width` of the picture in pixels; `canOpen`: whether a section's heading leads to the section alone. */
export type SpaceLook = {
  readonly width: number;
  readonly canOpen: boolean;
  readonly contested: ReadonlySet<Block>;
};

/** A section's blocks, to scale. */
export function spaceRows(section: Section, look: SpaceLook): Row[] {
  const spans = section.blocks.map(({ span }) => span);
  const grid = gridFor(section, maxLines);
  const scale = scaleFor(section.blocks);
  const index = indexSpans(section.blocks);
  const prefix = commonPrefix(section.blocks);
  const lines = stripsOf(spanOfSection(section), spans, grid.size).map(({ kind, span }): Row => {
    if (kind === "gap")
      return { kind, height: 26, label: "", words: describeGap(span, grid.size), items: [] };
    const items = segmentsOf(span, index).map((segment) => tileFor(segment, span));
    return { kind: "tiles", height: heightOf(grid.slots), label: formatIp(span.first), words: "", items };
  });
  return [headFor(section, scale, look.canOpen), ...lines];

  function tileFor({ span, blocks }: Segment, row: Span): Item {
    const place = { ...placeIn(row.first.value, grid.size, span), span, blocks, holders: [] };
    const [block] = blocks;
    if (!block) {
      const words = `free: ${describeSpan(span)}`;
      return { ...place, key: words, look: "free", name: "", note: "", words };
    }
    const isContested = blocks.some((one) => look.contested.has(one));
    const listed = blocks.map(({ node, text }) => `${node}, ${text}`).join("; ");
    return {
      ...place,
      key: `${block.text}@${block.node}`,
      look: isContested ? "contested" : `s${levelOf(useOf(blocks), blocks.length, scale)}`,
      name: grid.slots <= 16 ? nameFor(blocks, prefix, (place.to - place.from) * look.width) : "",
      note: grid.slots <= 8 ? noteFor(block) : "",
      words: `${listed}: ${describeUse(blocks, scale)}${isContested ? "; overlaps with other ranges" : ""}`,
      inside: { kind: "block", block },
    };
  }
}

function headFor(section: Section, scale: Scale, canOpen: boolean): Row {
  const label = formatCidr(section.network);
  const words = describeSection(section, scale);
  const item: Item = {
    key: label,
    from: 0,
    to: 1,
    look: "section",
    name: label,
    note: words,
    words: `${label}: ${words}`,
    span: spanOfSection(section),
    blocks: section.blocks,
    holders: [],
    inside: { kind: "section", section },
  };
  return { kind: "head", height: 52, label, words, items: canOpen ? [item] : [] };
}

function heightOf(slots: number): number {
  if (slots <= 8) return 52;
  return slots <= 16 ? 34 : slots <= 32 ? 24 : 17;
}

/** Names as they fit; without what all nodes' names begin with, where only that does. */
function nameFor(blocks: readonly Block[], prefix: number, width: number): string {
  const names = blocks.map(({ node }) => node);
  const fitting = [names, names.map((name) => name.slice(prefix))].map((some) => some.join(", "));
  return fitting.find((text) => text.length * 7.6 + 18 <= width) ?? "";
}

/** How long the beginning is, up to a dash or dot, that all nodes have in common. */
function commonPrefix(blocks: readonly Block[]): number {
  const [first = "", ...others] = blocks.map(({ node }) => node);
  let length = first.length;
  for (const name of others) while (!name.startsWith(first.slice(0, length))) length--;
  return Math.max(first.lastIndexOf("-", length - 1), first.lastIndexOf(".", length - 1)) + 1;
}

function noteFor({ held, usable }: Block): string {
  return usable < 1_000_000n
    ? `${formatCount(held.length)} of ${formatCount(usable)}`
    : formatCount(held.length);
}
