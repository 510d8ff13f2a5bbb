import { blockLooks, percent } from "./looks.ts";
import type { Territory } from "./territory.ts";
import { levels } from "./use.ts";

/** What drawLegend takes of the picture's height. */
export const legendHeight = 22;

/** What the tiles' looks mean, in one line. */
export function drawLegend(territory: Territory, left: number, top: number, room: number): string {
  const full = `over ${percent(levels.at(-2))}`;
  const entries = blockLooks(territory, { full, contested: "overlapping ranges" });
  const widths = entries.map(({ words }) => 25 + words.length * 7);
  const gap = Math.min(23, (room - widths.reduce((sum, width) => sum + width, 0)) / (entries.length - 1));
  let x = left;
  return entries
    .map(({ look, words }, at) => {
      const markup = `<rect class="${look}" x="${x + 0.5}" y="${top + 0.5}" width="18" height="13" rx="3"/><text class="quiet" x="${x + 25}" y="${top + 11}">${words}</text>`;
      x += Math.floor((widths[at] as number) + gap);
      return markup;
    })
    .join("");
}
