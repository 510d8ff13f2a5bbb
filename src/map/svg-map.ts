import { formatCidr } from "../address/cidr.ts";
import { formatIp } from "../address/ip.ts";
import { escapeMarkup } from "./escape.ts";
import { gridFor, placeIn } from "./grid.ts";
import { count, formatCount } from "./numbers.ts";
import { indexExcluded, occupiedOf, type Section, spanOfSection } from "./sections.ts";
import { type Segment, segmentsOf } from "./segments.ts";
import { indexSpans } from "./span-index.ts";
import { type Line, labelWidth, stripsOf } from "./strips.ts";
import { drawLegend, legendHeight } from "./svg-legend.ts";
import { svgStyle } from "./svg-style.ts";
import { type Block, hasClosing, type Territory } from "./territory.ts";
import { levelOf, type Scale, scaleFor, useOf } from "./use.ts";
import {
  countNodes,
  describeGap,
  describeSection,
  describeSpan,
  describeUse,
  listBlocks,
  noteClosing,
} from "./words.ts";

const width = 1000;
const margin = 32;
const maxLines = 400;
const excludedPattern =
  '<pattern id="barred" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="barred-line" width="1" height="6"/></pattern>';

/** The picture as one SVG that needs nothing else, light or dark as its reader's system is. */
export function drawSvg(territory: Territory, title: string): string {
  const parts: string[] = [];
  const contested = new Set(territory.conflicts.flatMap(({ blocks }) => blocks));
  let top = margin + 76;
  for (const section of territory.sections) {
    const { markup, height } = drawSection(section, contested, top);
    parts.push(markup);
    top += height + 36;
  }
  const height = top + legendHeight + margin;
  const subtitle =
    territory.summary ?? `${count(territory.blocks.length, "block")} of ${countNodes(territory.blocks)}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">
<title id="title">${escapeMarkup(`${title}: ${subtitle}`)}</title>
<style>${svgStyle}</style>
<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="hatch-ground" width="6" height="6"/><rect class="hatch-line" width="2.5" height="6"/></pattern>${excludedPattern}</defs>
<rect class="ground" width="${width}" height="${height}"/>
<text class="title" x="${margin}" y="${margin + 20}">${escapeMarkup(title)}</text>
<text class="quiet" x="${margin}" y="${margin + 42}">${escapeMarkup(subtitle)}</text>
${parts.join("\n")}
${drawLegend(territory, margin, top, width - 2 * margin)}
</svg>
`;
}

type Tile = { x: number; y: number; width: number; height: number };

function drawSection(
  section: Section,
  contested: Set<Block>,
  top: number,
): { markup: string; height: number } {
  const space = spanOfSection(section);
  const grid = gridFor(section, maxLines);
  const scale = scaleFor(section.blocks);
  const index = indexSpans(section.blocks);
  const excluded = indexExcluded(section);
  const lines = stripsOf(space, occupiedOf(section), grid.size);
  const left = margin + labelWidth(lines) * 7 + 12;
  const room = width - margin - left;
  const high = tileHeight(grid.slots);
  let y = top + 22;
  const rows = lines.map((line) => {
    const row = line.kind === "gap" ? drawGap(line, left, y, grid.size) : drawRow(line);
    y += line.kind === "gap" ? 24 : high + 3;
    return row;
  });
  const head = `<text class="head" x="${margin}" y="${top}">${formatCidr(section.network)}<tspan class="quiet" dx="10">${describeSection(section, scale)}</tspan></text>`;
  return { markup: [head, ...rows].join("\n"), height: y - top };

  function drawRow({ span }: Line): string {
    const label = `<text class="label" x="${left - 12}" y="${round(y + high / 2 + 4)}">${formatIp(span.first)}</text>`;
    const tiles = segmentsOf(span, index, excluded).map((segment) => {
      const { from, to } = placeIn(span.first.value, grid.size, segment.span);
      const gap = grid.slots > 16 ? 1 : 2;
      const tile = { x: left + from * room, y, width: Math.max(4, (to - from) * room - gap), height: high };
      return drawTile(
        segment,
        tile,
        scale,
        segment.blocks.some((block) => contested.has(block)),
      );
    });
    return [label, ...tiles].join("");
  }
}

function drawTile(segment: Segment, tile: Tile, scale: Scale, isContested: boolean): string {
  const { blocks, span, isExcluded } = segment;
  const box = `x="${round(tile.x)}" y="${tile.y}" width="${round(tile.width)}" height="${tile.height}" rx="${tile.height > 20 ? 4 : 2}"`;
  if (blocks.length === 0) {
    const what = isExcluded ? "excluded" : "free";
    return `<rect class="${what}" ${box}><title>${what}: ${describeSpan(span)}</title></rect>`;
  }
  const level = levelOf(useOf(blocks), blocks.length, scale);
  const names = listBlocks(blocks);
  const words = isContested
    ? `${names}: overlaps with other ranges`
    : `${names}: ${describeUse(blocks, scale)}`;
  const look = isContested ? "contested" : `s${level}`;
  const closing = hasClosing(segment) ? " closing" : "";
  const rect = `<rect class="${look}${closing}" ${box}><title>${escapeMarkup(words)}</title></rect>`;
  return rect + writeOnTile(blocks, tile, isContested ? "contested" : String(level));
}

/** The node's name where it fits, and how many addresses it holds where that does too. */
function writeOnTile(blocks: Block[], { x, y, width, height }: Tile, look: string): string {
  const name = blocks.map((block) => noteClosing(block.node, block)).join(", ");
  if (height < 24 || name.length * 7 + 14 > width) return "";
  const [first] = blocks as [Block];
  const hasTwoLines = height > 38;
  const middle = y + height / 2 + (hasTwoLines ? -3 : 4);
  const use = hasTwoLines
    ? `<text class="use on${look}" x="${round(x + 8)}" y="${middle + 15}">${formatCount(first.held.length)}${first.usable < 1_000_000n ? ` of ${formatCount(first.usable)}` : ""}</text>`
    : "";
  return `<text class="name on${look}" x="${round(x + 8)}" y="${middle}">${escapeMarkup(name)}</text>${use}`;
}

function drawGap({ span }: Line, left: number, y: number, size: bigint): string {
  return `<text class="gap" x="${left}" y="${y + 13}">⋮  ${describeGap(span, size)}</text>`;
}

function tileHeight(slots: number): number {
  if (slots <= 8) return 44;
  return slots <= 16 ? 26 : slots <= 32 ? 20 : 13;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
