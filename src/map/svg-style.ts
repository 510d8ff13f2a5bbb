import { cssColours, steps } from "./colours.ts";

const ofSteps = steps
  .map((_, at) => `.s${at}{fill:var(--step-${at})}.on${at}{fill:var(--on-step-${at})}`)
  .join("");

/** The SVG's style sheet. */
export const svgStyle = [
  `:root{${cssColours("light")}}`,
  `@media(prefers-color-scheme:dark){:root{${cssColours("dark")}}}`,
  'text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif;fill:var(--text)}',
  ".ground{fill:var(--ground)}.title{font-size:20px;font-weight:600}.quiet{fill:var(--quiet);font-weight:400;font-size:13px}",
  ".head{font-size:14px;font-weight:600;font-variant-numeric:tabular-nums}",
  '.label,.gap{font:11.5px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:var(--quiet)}',
  ".label{text-anchor:end}.gap{font-size:11px}",
  ".free{fill:none;stroke:var(--free);stroke-dasharray:2 3}",
  ".excluded{fill:url(#barred);stroke:var(--free)}.barred-line{fill:var(--quiet)}",
  ".closing{stroke:var(--text);stroke-width:1.5;stroke-dasharray:5 3}",
  ".contested{fill:url(#hatch);stroke:var(--trouble);stroke-width:1.5}",
  ".hatch-ground{fill:var(--trouble-ground)}.hatch-line{fill:var(--trouble);opacity:.55}",
  ".name{font-size:12px;font-weight:500}.use{font-size:11px}",
  ".oncontested{fill:var(--text);font-weight:600}",
  ofSteps,
].join("");
