/** How texts are painted, or left as they are where there is no terminal to show colour. */
export type Paint = Record<
  "red" | "green" | "yellow" | "blue" | "magenta" | "cyan" | "bold" | "dim",
  (text: string) => string
>;

type Environment = Readonly<Record<string, string | undefined>>;

const codes = {
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  magenta: [35, 39],
  cyan: [36, 39],
  bold: [1, 22],
  dim: [2, 22],
};

/** Colour on a terminal alone, and not where $NO_COLOR (no-color.org) is set or $TERM is dumb. */
export function paintFor(isTerminal: boolean, env: Environment): Paint {
  const colourful = isTerminal && !env["NO_COLOR"] && env["TERM"] !== "dumb";
  const entries = Object.entries(codes).map(([name, [on, off]]) => [
    name,
    colourful ? (text: string) => `\u001b[${on}m${text}\u001b[${off}m` : (text: string) => text,
  ]);
  return Object.fromEntries(entries) as Paint;
}
