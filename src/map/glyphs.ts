/** The characters of a picture. `shades` go from empty to full. */
export type Glyphs = {
  readonly free: string;
  readonly shades: readonly string[];
  readonly conflict: string;
  readonly excluded: string;
  readonly gap: string;
  readonly times: string;
  readonly more: string;
};

const unicode: Glyphs = {
  free: "·",
  shades: ["░", "▒", "▓", "█"],
  conflict: "!",
  excluded: "×",
  gap: "⋮",
  times: "×",
  more: "…",
};
const ascii: Glyphs = {
  free: ".",
  shades: ["-", "+", "*", "#"],
  conflict: "!",
  excluded: "x",
  gap: ":",
  times: "x",
  more: "...",
};

type Environment = Readonly<Record<string, string | undefined>>;

/** Block characters where the locale is UTF-8 (macOS and Windows are without saying so), else what every terminal has. */
export function glyphsFor(platform: string, env: Environment): Glyphs {
  const locale = env["LC_ALL"] || env["LC_CTYPE"] || env["LANG"] || "";
  const isUtf8 = locale === "" ? platform === "darwin" || platform === "win32" : /utf-?8/i.test(locale);
  return isUtf8 && env["TERM"] !== "dumb" ? unicode : ascii;
}

export function shadeGlyph(glyphs: Glyphs, shade: number): string {
  return glyphs.shades[
    Math.min(glyphs.shades.length - 1, Math.floor(shade * glyphs.shades.length))
  ] as string;
}
