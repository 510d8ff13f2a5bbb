import { escapeMarkup } from "./escape.ts";
import { blockLooks, type Look } from "./looks.ts";
import { pack } from "./pack.ts";
import { script, style } from "./page-parts.ts";
import type { Territory } from "./territory.ts";

/** What stands above the picture; both are plain text. */
export type PageHead = { readonly title: string; readonly subtitle: string };

// Nothing is fetched and nothing runs but the script whose hash this is, whatever a pod is called.
const policy = [
  "default-src 'none'",
  `script-src '${script.hash}'`,
  `style-src '${style.hash}'`,
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

const icon =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath fill='%233f78b3' d='M1 1h6v6H1zM9 9h6v6H9z'/%3E%3Cpath fill='%238db4dc' d='M9 1h6v6H9zM1 9h6v6H1z'/%3E%3C/svg%3E";

const halfMoon =
  '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Zm0 2v14a7 7 0 0 1 0-14Z"/></svg>';

/** The map as one page that needs nothing else. */
export function renderPage(territory: Territory, { title, subtitle }: PageHead): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="${icon}">
<title>${escapeMarkup(title)} – address map</title>
<style>${style.text}</style>
</head>
<body>
<header>
<div class="bar-of-page first">
<div class="what"><h1>${escapeMarkup(title)}</h1><p>${escapeMarkup(subtitle)}</p></div>
<div class="search" role="search">
<input id="search" type="text" role="combobox" aria-expanded="false" aria-controls="finds" aria-autocomplete="list" aria-label="Search a node, a pod or an address" placeholder="Search a node, pod or address" autocomplete="off" autocapitalize="off" spellcheck="false">
<kbd aria-hidden="true">/</kbd>
<div id="finds" role="listbox" aria-label="What was found" hidden></div>
<div id="status" class="unseen" role="status"></div>
</div>
<button id="theme" type="button" aria-label="Dark colours" aria-pressed="false">${halfMoon}</button>
</div>
<div class="bar-of-page second">
<nav aria-label="Where you are"><ol id="crumbs"></ol></nav>
<ul class="legend" id="legend-space" aria-label="Legend">${legend(blockLooks(territory, { full: "nearly full", contested: "overlapping" }))}</ul>
<ul class="legend" id="legend-block" aria-label="Legend" hidden>${legend(addressLooks)}</ul>
</div>
</header>
<main>
<div id="picture" role="grid" aria-label="Address space" aria-describedby="keys"></div>
<aside id="panel" aria-label="Details"></aside>
</main>
<footer id="keys"><span><kbd>←</kbd> <kbd>↑</kbd> <kbd>↓</kbd> <kbd>→</kbd> move</span><span><kbd>Enter</kbd> looks inside</span><span><kbd>Esc</kbd> goes back out</span><span><kbd>/</kbd> searches</span></footer>
<div id="tip" aria-hidden="true" hidden></div>
<noscript><p>This page draws the map with a script.</p></noscript>
<script type="application/json" id="data">${embed(pack(territory))}</script>
<script>${script.text}</script>
</body>
</html>
`;
}

/** JSON inside of a script element: no "<" of anybody's name can end it. */
function embed(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", "\\u003c");
}

const addressLooks: Look[] = [
  { look: "unheld", words: "free" },
  { look: "held", words: "a pod's" },
  { look: "kept", words: "never given out" },
  { look: "contested", words: "two pods'" },
];

function legend(looks: Look[]): string {
  return looks
    .map(({ look, words }) => `<li class="${look}"><span class="face swatch"></span>${words}</li>`)
    .join("");
}
