// The page that map --html writes. scripts/make-page.ts bundles this file; it runs in a browser and asks for nothing.
import { formatIp, type Ip, parseIp } from "../address/ip.ts";
import { isInside } from "../address/range.ts";
import { type Packed, unpack } from "../map/pack.ts";
import type { Block } from "../map/territory.ts";
import { blockRows } from "./block-rows.ts";
import { byId, make } from "./elements.ts";
import { excludedOf } from "./excluded-of.ts";
import { createFinder } from "./finder.ts";
import { createPanel } from "./panel.ts";
import { createPicture } from "./picture.ts";
import type { Item, Row } from "./rows.ts";
import { createSearchBox } from "./search-box.ts";
import { spaceRows } from "./space-rows.ts";
import { createThemeSwitch } from "./theme.ts";
import { createTip } from "./tip.ts";
import { formatView, nameView, parseView, type View, wayTo } from "./view.ts";

/** What the next view begins at: a block, a single address of the view's block, or one that is in no block. */
type Target = Block | string | Ip;

const territory = unpack(JSON.parse(byId("data").textContent ?? "") as Packed);
const contested: ReadonlySet<Block> = new Set(territory.conflicts.flatMap(({ blocks }) => blocks));
const field = byId<HTMLInputElement>("search");
const tip = createTip(byId("tip"));
const panel = createPanel(byId("panel"), territory, { openBlock, goTo });
const picture = createPicture(byId("picture"), {
  onSelect: (item) => panel.show(item),
  onOpen: (item) => item.inside && go(item.inside),
  onHover: tip.show,
});
let view: View = { kind: "all" };
let target: Target | undefined;

function go(next: View, at?: Target): void {
  target = at;
  if (location.hash.slice(1) === formatView(next)) open(next);
  else location.hash = formatView(next);
}

function openBlock(block: Block): void {
  go({ kind: "block", block });
}

function goTo(block: Block, address?: string): void {
  if (address !== undefined) go({ kind: "block", block }, address);
  else if (view.kind === "section" && view.section.blocks.includes(block)) go(view, block);
  else go({ kind: "all" }, block);
}

/** Ends a search that is still on, or goes one step out, to where one came in. */
function leave(): void {
  if (search.clear()) return;
  const outer = wayTo(view, territory).at(-2);
  if (outer) go(outer, view.kind === "block" ? view.block : undefined);
}

function open(next: View, isFirst = false): void {
  view = next;
  byId("crumbs").replaceChildren(...wayTo(view, territory).map(drawCrumb));
  byId("legend-space").hidden = view.kind === "block";
  byId("legend-block").hidden = view.kind !== "block";
  tip.hide();
  picture.show(rowsOf(view));
  scrollTo({ top: 0 });
  const isAimed = target !== undefined && picture.select(isTarget, true);
  if (!isAimed && view.kind === "block") picture.select(isHeld, !isFirst);
  else if (!isAimed) panel.showSummary();
  target = undefined;
}

function isTarget(item: Item): boolean {
  if (typeof target === "string") return item.key === target;
  if (item.look === "section" || target === undefined) return false;
  if ("family" in target) return item.blocks.length === 0 && isInside(item.span, target);
  return item.blocks.some((block) => block === target);
}

function isHeld({ holders }: Item): boolean {
  return holders.length > 0;
}

function rowsOf(view: View): Row[] {
  const wanted = typeof target === "string" ? parseIp(target) : undefined;
  if (view.kind === "block")
    return blockRows(view.block, innerWidth < 700 ? 4 : 8, wanted, excludedOf(territory, view.block));
  const sections = view.kind === "section" ? [view.section] : territory.sections;
  const look = { width: byId("picture").clientWidth - 120, canOpen: sections.length > 1, contested };
  return sections.flatMap((section) => spaceRows(section, look));
}

function drawCrumb(step: View, at: number, steps: View[]): HTMLElement {
  const isHere = at === steps.length - 1;
  const link = make(
    "a",
    { href: `#${formatView(step)}`, ...(isHere && { "aria-current": "page" }) },
    nameView(step),
  );
  return make("li", {}, link);
}

createThemeSwitch(byId<HTMLButtonElement>("theme"));
const search = createSearchBox(field, byId("finds"), byId("status"), {
  find: createFinder(territory),
  onFound: picture.emphasize,
  onChoose: ({ block, address }) =>
    block ? goTo(block, address && formatIp(address)) : go({ kind: "all" }, address),
  onLeave: () => byId("picture").querySelector<HTMLElement>('[tabindex="0"]')?.focus(),
});
addEventListener("hashchange", () => open(parseView(location.hash.slice(1), territory)));
addEventListener("resize", () => picture.show(rowsOf(view)));
addEventListener("keydown", (event) => {
  if (event.target === field || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/") field.select();
  else if (event.key === "Escape") leave();
  else return;
  event.preventDefault();
});
open(parseView(location.hash.slice(1), territory), true);
