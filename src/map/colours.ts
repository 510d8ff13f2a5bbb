/** One colour of the pictures in light and in dark. */
type Colour = { readonly light: string; readonly dark: string };

/** How a step of use looks: the tile, and what is written on it. */
export type Step = { readonly tile: Colour; readonly text: Colour };

const ink = "#16202b";
const paper = "#f4f8fc";

/**
 * The steps of use.ts: one hue whose lightness tells, so that colour-blind people see the same, and amber for what is nearly full,
 * which stands out from blue with every kind of colour blindness.
 */
export const steps: readonly Step[] = [
  { tile: { light: "#e4ebf3", dark: "#1c2937" }, text: { light: "#4a5a6b", dark: "#9fb2c6" } },
  { tile: { light: "#bfd4ea", dark: "#22405f" }, text: { light: ink, dark: "#d3e2f1" } },
  { tile: { light: "#8db4dc", dark: "#2c5f93" }, text: { light: ink, dark: paper } },
  { tile: { light: "#3f78b3", dark: "#5a9bd5" }, text: { light: "#ffffff", dark: "#0b141d" } },
  { tile: { light: "#1d5590", dark: "#a3cdf3" }, text: { light: paper, dark: "#0b141d" } },
  { tile: { light: "#e8a33d", dark: "#f0b04f" }, text: { light: "#2b1d05", dark: "#2b1d05" } },
];

export const surface = {
  ground: { light: "#fbfcfd", dark: "#0e141b" },
  raised: { light: "#ffffff", dark: "#151d26" },
  line: { light: "#dde3ea", dark: "#2a3541" },
  free: { light: "#d4dbe3", dark: "#2b3744" },
  text: { light: ink, dark: "#e6edf4" },
  quiet: { light: "#5b6875", dark: "#93a3b3" },
  accent: { light: "#1d5590", dark: "#8ec2f2" },
  trouble: { light: "#b3401a", dark: "#ff8a5c" },
  troubleGround: { light: "#fbe3d9", dark: "#43241a" },
} satisfies Record<string, Colour>;

/** All of them as custom properties of CSS: `--step-3`, `--on-step-3`, `--ground`, … */
export function cssColours(side: "light" | "dark"): string {
  const ofSteps = steps.flatMap(({ tile, text }, at) => [
    `--step-${at}:${tile[side]}`,
    `--on-step-${at}:${text[side]}`,
  ]);
  const ofSurface = Object.entries(surface).map(
    ([name, colour]) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}:${colour[side]}`,
  );
  return [...ofSteps, ...ofSurface].join(";");
}
