// node scripts/make-page.ts [FILE]: src/map/page-parts.ts, the script and the style sheet of the page that map --html writes, out of
// src/page. A test says when it is out of date.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cssColours, steps } from "../src/map/colours.ts";

const root = join(import.meta.dirname, "..");
const script = execFileSync(
  join(root, "node_modules/.bin/bun"),
  ["build", "--target=browser", "--format=iife", "--minify", join(root, "src/page/main.ts")],
  { encoding: "utf8", cwd: root },
).trim();
const style = minify(
  [
    `:root,:root[data-theme="light"]{${cssColours("light")}}`,
    `@media(prefers-color-scheme:dark){:root{${cssColours("dark")}}:root[data-theme="light"]{${cssColours("light")}}}`,
    `:root[data-theme="dark"]{${cssColours("dark")}}`,
    readFileSync(join(root, "src/page/page.css"), "utf8"),
    ...steps.map((_, at) => `.s${at} .face{background:var(--step-${at});color:var(--on-step-${at})}`),
  ].join("\n"),
);
if (/<\/(?:script|style)/i.test(script + style))
  throw new Error("the page's script or style would end its element");

const file = process.argv[2] ?? join(root, "src/map/page-parts.ts");
const text = `// Made by scripts/make-page.ts out of src/page: change that, not this.
export const script = { text: ${JSON.stringify(script)}, hash: "${hash(script)}" };
export const style = { text: ${JSON.stringify(style)}, hash: "${hash(style)}" };
`;
if (!existsSync(file) || readFileSync(file, "utf8") !== text) writeFileSync(file, text);

/** As a Content-Security-Policy has it. */
function hash(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}

function minify(css: string): string {
  return css
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/\s+/g, " ")
    .replace(/ ?([{};,]) ?/g, "$1")
    .trim();
}
