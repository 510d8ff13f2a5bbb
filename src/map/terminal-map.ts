import type { Paint } from "../terminal/paint.ts";
import { formatTable } from "../terminal/table.ts";
import type { Glyphs } from "./glyphs.ts";
import { huesOf } from "./hues.ts";
import { count, formatCount, formatShare } from "./numbers.ts";
import { drawSection, type Style, wantedLines } from "./terminal-section.ts";
import type { Block, Territory } from "./territory.ts";
import { findTroubles } from "./troubles.ts";
import { byUse, useOf } from "./use.ts";
import { countNodes } from "./words.ts";

export type Window = { width: number; height: number; glyphs: Glyphs; paint: Paint };

/** The picture for a terminal: it fits the window where that can be, and says what its characters mean. */
export function drawTerminal(territory: Territory, title: string, window: Window): string {
  const style = styleFor(territory.blocks, window);
  const head = [describeTerritory(territory, title, window.paint)];
  const foot = [
    describeGlyphs(window),
    "",
    ...mostUsed(territory.blocks, window),
    ...listTroubles(territory, window),
  ];
  const wanted = territory.sections.map(wantedLines);
  const frame = head.length + foot.length + 2 * wanted.length + 2;
  const heights = shareOut(Math.max(window.height - frame, 2 * wanted.length), wanted);
  const pictures = territory.sections.flatMap((section, at) => [
    "",
    ...drawSection(section, window.width, heights[at] as number, style),
  ]);
  return [...head, ...pictures, "", ...foot].join("\n").trimEnd();
}

function styleFor(blocks: Block[], { glyphs, paint }: Window): Style {
  const paints = [paint.blue, paint.green, paint.yellow, paint.magenta, paint.cyan];
  const hues = huesOf(blocks, paints.length);
  return { glyphs, paint, hue: (node) => paints[hues.get(node) ?? 0] as (text: string) => string };
}

/** Lines for everyone: those that want few get what they want, the others an equal part of what is left. */
function shareOut(lines: number, wanted: number[]): number[] {
  const given = wanted.map(() => 0);
  let left = lines;
  const order = wanted.map((_, at) => at).sort((a, b) => (wanted[a] as number) - (wanted[b] as number));
  for (const [rank, at] of order.entries()) {
    given[at] = Math.min(wanted[at] as number, Math.floor(left / (order.length - rank)));
    left -= given[at];
  }
  return given;
}

function describeTerritory({ blocks }: Territory, title: string, paint: Paint): string {
  if (blocks.length === 0) return `${paint.bold(title)}: no node has ranges`;
  return `${paint.bold(title)}: ${count(blocks.length, "block")} of ${countNodes(blocks)}`;
}

function describeGlyphs({ glyphs, paint }: Window): string {
  const steps = glyphs.shades.map((shade, at) => {
    const share = Math.round((100 * (at + 1)) / glyphs.shades.length);
    return `${shade} ${at === 0 ? "used to " : "to "}${share} %`;
  });
  return [`${paint.dim(glyphs.free)} free`, ...steps, `${paint.red(glyphs.conflict)} conflict`].join("   ");
}

function mostUsed(blocks: Block[], { height }: Window): string[] {
  if (blocks.length === 0) return [];
  const rows = byUse(blocks)
    .slice(0, height < 30 ? 3 : 5)
    .map((block) => {
      const { held, usable } = useOf([block]);
      return [
        block.node,
        block.text,
        `${formatCount(held)} of ${formatCount(usable)}`,
        formatShare(held, usable),
      ];
    });
  return [formatTable(["MOST USED", "BLOCK", "ADDRESSES", "USE"], rows)];
}

function listTroubles(territory: Territory, { paint, width }: Window): string[] {
  const troubles = findTroubles(territory);
  if (troubles.length === 0) return [];
  const shown = troubles.slice(0, 10).map(({ words }) => {
    const line = `  ${words}`;
    return paint.red(line.length > width ? `${line.slice(0, width - 1)}…` : line);
  });
  const more = troubles.length > 10 ? [`  and ${formatCount(troubles.length - 10)} more`] : [];
  return [
    "",
    `${count(troubles.length, "thing")} to look at (kubectl kube-node verify says more):`,
    ...shown,
    ...more,
  ];
}
