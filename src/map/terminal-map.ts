import type { Paint } from "../terminal/paint.ts";
import { formatTable } from "../terminal/table.ts";
import type { Glyphs } from "./glyphs.ts";
import { huesOf } from "./hues.ts";
import { count, formatCount, formatShare } from "./numbers.ts";
import { drawSection, type Style, wantedLines } from "./terminal-section.ts";
import { type Block, hasExcluded, type Territory } from "./territory.ts";
import { findTroubles } from "./troubles.ts";
import { byUse, useOf } from "./use.ts";
import { countNodes } from "./words.ts";
import { wrap } from "./wrap.ts";

const mostTroubles = 5;
const nbsp = "\u00a0";

export type Window = { width: number; height: number; glyphs: Glyphs; paint: Paint };

/** The picture for a terminal: it fits the window where that can be, and says what its characters mean. */
export function drawTerminal(territory: Territory, title: string, window: Window): string {
  const { blocks, sections } = territory;
  const style = styleFor(blocks, window);
  const head = describeTerritory(territory, title, window.paint);
  const foot = [describeGlyphs(territory, window), mostUsed(blocks, window), listTroubles(territory, window)];
  const feet = foot.filter((lines) => lines.length > 0).flatMap((lines) => ["", ...lines]);
  const wanted = sections.map(wantedLines);
  // The shell's prompt wants a line, and each section has an empty one above.
  const heights = shareOut(window.height - 2 - feet.length - sections.length, wanted);
  const pictures = sections.flatMap((section, at) => [
    "",
    ...drawSection(section, window.width, heights[at] as number, style),
  ]);
  return [head, ...pictures, ...feet].join("\n");
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

function describeTerritory({ blocks, summary }: Territory, title: string, paint: Paint): string {
  if (summary !== undefined) return `${paint.bold(title)}: ${summary}`;
  if (blocks.length === 0) return `${paint.bold(title)}: no node has ranges`;
  return `${paint.bold(title)}: ${count(blocks.length, "block")} of ${countNodes(blocks)}`;
}

function describeGlyphs(territory: Territory, { glyphs, paint, width }: Window): string[] {
  const steps = glyphs.shades.map((shade, at) => {
    const share = Math.round((100 * (at + 1)) / glyphs.shades.length);
    return `${shade} ${at === 0 ? "used to " : "to "}${share} %`;
  });
  const excluded = hasExcluded(territory) ? [`${glyphs.excluded} excluded`] : [];
  const all = [`${glyphs.free} free`, ...excluded, ...steps, `${glyphs.conflict} conflict`].map((entry) =>
    entry.replaceAll(" ", nbsp),
  );
  return wrap(all.join("  "), width).map((line) =>
    line.replaceAll(nbsp, " ").replace(glyphs.free, paint.dim).replace(glyphs.conflict, paint.red),
  );
}

function mostUsed(blocks: Block[], { height, width }: Window): string[] {
  const fullest = byUse(blocks).filter(({ held }) => held.length > 0);
  if (fullest.length === 0) return [];
  const rows = fullest.slice(0, height < 30 ? 3 : 5).map((block) => {
    const { held, usable } = useOf([block]);
    return [
      block.node,
      block.text,
      formatShare(held, usable),
      `${formatCount(held)} of ${formatCount(usable)}`,
    ];
  });
  const table = formatTable(["MOST USED", "BLOCK", "USE", "ADDRESSES"], rows);
  return table.split("\n").map((line) => line.slice(0, width).trimEnd());
}

function listTroubles(territory: Territory, { paint, width }: Window): string[] {
  const troubles = findTroubles(territory);
  if (troubles.length === 0) return [];
  const shown = troubles
    .slice(0, mostTroubles)
    .flatMap(({ words }) => wrap(words, width - 2, "  ").map((line) => `  ${paint.red(line)}`));
  const more = troubles.length - mostTroubles;
  return [
    ...wrap(`${count(troubles.length, "thing")} to look at; kubectl kube-node verify says more:`, width),
    ...shown,
    ...(more > 0 ? [`  and ${formatCount(more)} more`] : []),
  ];
}
