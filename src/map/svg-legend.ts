import { hasClosing, hasExcluded, type Territory } from "./territory.ts";
import { levels } from "./use.ts";

/** What drawLegend takes of the picture's height. */
export const legendHeight = 22;

/** What the tiles' looks mean, in one line; what only pools have is told where there is some. */
export function drawLegend(territory: Territory, left: number, top: number, room: number): string {
  const entries = [
    { look: "free", words: "free" },
    ...(hasExcluded(territory) ? [{ look: "excluded", words: "excluded" }] : []),
    { look: "s0", words: "unused" },
    ...levels.slice(1).map((upTo, at) => ({
      look: `s${at + 1}`,
      words: upTo === 1 ? `over ${percent(levels.at(-2))}` : `to ${percent(upTo)}`,
    })),
    ...(hasClosing(territory) ? [{ look: "s0 closing", words: "closing" }] : []),
    { look: "contested", words: "overlapping ranges" },
  ];
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

function percent(share: number | undefined): string {
  return `${Math.round((share ?? 0) * 100)} %`;
}
