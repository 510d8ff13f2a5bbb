import { levels } from "./use.ts";

/** What drawLegend takes of the picture's height. */
export const legendHeight = 22;

/** What the tiles' looks mean, in one line. */
export function drawLegend(left: number, top: number): string {
  const entries = [
    { look: "free", words: "free" },
    { look: "s0", words: "unused" },
    ...levels.slice(1).map((upTo, at) => ({
      look: `s${at + 1}`,
      words: upTo === 1 ? `over ${percent(levels.at(-2))}` : `to ${percent(upTo)}`,
    })),
    { look: "contested", words: "overlapping ranges" },
  ];
  let x = left;
  return entries
    .map(({ look, words }) => {
      const markup = `<rect class="${look}" x="${x + 0.5}" y="${top + 0.5}" width="18" height="13" rx="3"/><text class="quiet" x="${x + 25}" y="${top + 11}">${words}</text>`;
      x += 48 + words.length * 7;
      return markup;
    })
    .join("");
}

function percent(share: number | undefined): string {
  return `${Math.round((share ?? 0) * 100)} %`;
}
