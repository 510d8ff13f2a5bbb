import { formatCidr } from "../address/cidr.ts";
import { formatIp } from "../address/ip.ts";
import type { Span } from "../address/range.ts";
import { gridFor, placeIn } from "../map/grid.ts";
import { formatCount } from "../map/numbers.ts";
import { indexExcluded, occupiedOf, type Section, spanOfSection } from "../map/sections.ts";
import { type Segment, segmentsOf } from "../map/segments.ts";
import { indexSpans } from "../map/span-index.ts";
import { stripsOf } from "../map/strips.ts";
import { type Block, hasClosing } from "../map/territory.ts";
import { levelOf, type Scale, scaleFor, useOf } from "../map/use.ts";
import { describeGap, describeSection, describeSpan, describeUse, listBlocks } from "../map/words.ts";
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
  const grid = gridFor(section, maxLines);
  const scale = scaleFor(section.blocks);
  const index = indexSpans(section.blocks);
  const excluded = indexExcluded(section);
  const stem = commonStem(section.blocks);
  const lines = stripsOf(spanOfSection(section), occupiedOf(section), grid.size).map(
    ({ kind, span }): Row => {
      if (kind === "gap")
        return { kind, height: 26, label: "", words: describeGap(span, grid.size), items: [] };
      const items = segmentsOf(span, index, excluded).map((segment) => tileFor(segment, span));
      return { kind: "tiles", height: heightOf(grid.slots), label: formatIp(span.first), words: "", items };
    },
  );
  return [headFor(section, scale, look.canOpen), ...lines];

  function tileFor({ span, blocks, isExcluded }: Segment, row: Span): Item {
    const place = { ...placeIn(row.first.value, grid.size, span), span, blocks, holders: [] };
    const [block] = blocks;
    if (!block) {
      const state = isExcluded ? "excluded" : "free";
      const words = `${state}: ${describeSpan(span)}`;
      return { ...place, key: words, look: state, name: "", note: "", words };
    }
    const isContested = blocks.some((one) => look.contested.has(one));
    const use = isContested ? "contested" : `s${levelOf(useOf(blocks), blocks.length, scale)}`;
    return {
      ...place,
      key: `${block.text}@${block.node}`,
      look: hasClosing({ blocks }) ? `${use} closing` : use,
      name: grid.slots <= 16 ? nameFor(blocks, stem, (place.to - place.from) * look.width) : "",
      note: grid.slots <= 8 ? noteFor(block) : "",
      words: `${listBlocks(blocks)}: ${describeUse(blocks, scale)}${isContested ? "; overlaps with other ranges" : ""}`,
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

/** Names as they fit; without what most nodes' names begin with, where only that does. */
function nameFor(blocks: readonly Block[], stem: string, width: number): string {
  const names = blocks.map(({ node }) => node);
  const short = names.map((name) => (name.startsWith(stem) ? name.slice(stem.length) : name));
  return [names, short].map((some) => some.join(", ")).find((text) => text.length * 7.6 + 18 <= width) ?? "";
}

/** What most nodes' names begin with, up to their last dash; nothing where they have little in common. */
function commonStem(blocks: readonly Block[]): string {
  const counts = new Map<string, number>();
  for (const { node } of blocks) {
    const stem = node.slice(0, node.lastIndexOf("-") + 1);
    counts.set(stem, (counts.get(stem) ?? 0) + 1);
  }
  const [best] = [...counts].sort(([, a], [, b]) => b - a);
  return best && best[1] * 2 > blocks.length ? best[0] : "";
}

function noteFor({ held, usable, isClosing }: Block): string {
  const of = usable < 1_000_000n ? ` of ${formatCount(usable)}` : "";
  return `${formatCount(held.length)}${of}${isClosing ? ", closing" : ""}`;
}
