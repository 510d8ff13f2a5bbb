import { formatIp } from "../address/ip.ts";
import { formatCount, formatShare } from "../map/numbers.ts";
import type { Block, Territory } from "../map/territory.ts";
import { findTroubles, type Trouble } from "../map/troubles.ts";
import { byUse } from "../map/use.ts";
import { describeSpan } from "../map/words.ts";
import { make } from "./elements.ts";
import type { Item } from "./rows.ts";

export type PanelHooks = { openBlock(block: Block): void; goTo(block: Block, item?: string): void };

export type Panel = {
  /** What is pointed at. */
  show(item: Item): void;
  /** The fullest blocks and what is wrong, where nothing is pointed at. */
  showSummary(): void;
};

const closingWords = "Closing: no pod gets an address of it any more. It is free when no pod has one.";
const shownPods = 300;
const shownBlocks = 20;

/** What stands beside the picture. */
export function createPanel(root: HTMLElement, territory: Territory, hooks: PanelHooks): Panel {
  const fullest = byUse(territory.blocks)
    .filter(({ held }) => held.length > 0)
    .slice(0, 8);
  const troubles = findTroubles(territory);

  function summary(): Node[] {
    const parts: Node[] = [];
    if (troubles.length > 0) {
      parts.push(heading(`To look at (${formatCount(troubles.length)})`));
      parts.push(make("ul", { class: "troubles" }, ...troubles.slice(0, 50).map(drawTrouble)));
    }
    if (fullest.length > 0)
      parts.push(heading("Most used"), make("ul", { class: "list" }, ...fullest.map(drawBlock)));
    return parts;
  }

  function drawTrouble({ words, blocks }: Trouble): HTMLElement {
    const [block] = blocks;
    if (!block) return make("li", {}, words);
    const button = make("button", { type: "button", class: "plain" }, words);
    button.addEventListener("click", () => hooks.goTo(block));
    return make("li", {}, button);
  }

  function drawBlock(block: Block): HTMLElement {
    const button = make(
      "button",
      { type: "button", class: "entry" },
      make("span", { class: "name" }, block.node),
      make("span", { class: "note" }, shareWords(block)),
      make("span", { class: "mono quiet" }, block.text),
      bar(block),
    );
    button.addEventListener("click", () => hooks.goTo(block));
    return make("li", {}, button);
  }

  function describeBlock(block: Block, isAlone: boolean): Node[] {
    const parts: Node[] = [
      make("h2", {}, block.node),
      make("p", { class: "mono quiet" }, block.text),
      make("p", { class: "figure" }, formatCount(block.held.length), make("span", {}, ` ${ofWhat(block)}`)),
      bar(block),
      ...(block.isClosing ? [make("p", { class: "quiet" }, closingWords)] : []),
    ];
    if (!isAlone) return parts;
    const button = make("button", { type: "button", class: "action" }, "Show its addresses");
    button.addEventListener("click", () => hooks.openBlock(block));
    return [...parts, button, ...podList(block)];
  }

  function podList(block: Block): Node[] {
    if (block.held.length === 0) return [make("p", { class: "quiet" }, "No pod has an address of it.")];
    const pods = block.held.slice(0, shownPods).map(({ address, pod }) => {
      const button = make(
        "button",
        { type: "button", class: "pod" },
        make("span", { class: "mono" }, formatIp(address)),
        make("span", { class: "name" }, pod),
      );
      button.addEventListener("click", () => hooks.goTo(block, formatIp(address)));
      return make("li", {}, button);
    });
    const more = block.held.length - shownPods;
    const rest =
      more > 0 ? [make("p", { class: "quiet" }, `and ${formatCount(more)} more: search finds them`)] : [];
    return [heading("Pods"), make("ul", { class: "pods" }, ...pods), ...rest];
  }

  function describeAddress({ span, holders, blocks, note }: Item): Node[] {
    const state = holders.length > 0 ? holders.map(({ pod }) => make("p", { class: "holder" }, pod)) : [];
    return [
      make("h2", { class: "mono" }, formatIp(span.first)),
      ...state,
      ...(state.length === 0 ? [make("p", { class: "quiet" }, note === "" ? "free" : note)] : []),
      ...blocks.flatMap((block) => [make("hr"), ...describeBlock(block, false)]),
    ];
  }

  function describeItem(item: Item): Node[] {
    const [block] = item.blocks;
    if (item.look === "section")
      return [
        make("h2", { class: "mono" }, item.name),
        make("p", { class: "quiet" }, item.note),
        ...summary(),
      ];
    if (!block)
      return [
        make("h2", {}, item.look === "excluded" ? "Excluded" : "Free"),
        make("p", { class: "mono quiet" }, describeSpan(item.span)),
        ...summary(),
      ];
    if (item.inside === undefined) return describeAddress(item);
    const rivals = item.look.startsWith("contested")
      ? [make("p", { class: "trouble" }, "Overlaps with other ranges: two pods may get one address.")]
      : [];
    return [...rivals, ...item.blocks.slice(0, shownBlocks).flatMap((one) => describeBlock(one, true))];
  }

  return {
    show(item) {
      root.classList.add("pointed");
      root.replaceChildren(...describeItem(item));
    },
    showSummary() {
      root.classList.remove("pointed");
      root.replaceChildren(...summary());
    },
  };
}

function heading(text: string): HTMLElement {
  return make("h3", {}, text);
}

/** Of how many, where that can be imagined. */
function ofWhat({ usable }: Block): string {
  return isCountable(usable) ? `of ${formatCount(usable)} used` : "used";
}

function isCountable(usable: bigint): boolean {
  return usable < 1_000_000n;
}

function shareWords({ held, usable }: Block): string {
  return isCountable(usable) ? formatShare(held.length, usable) : formatCount(held.length);
}

/** The bar is for the eye: the number stands beside it. */
function bar({ held, usable }: Block): Node {
  if (!isCountable(usable)) return document.createDocumentFragment();
  const filled = make("div", { class: "filled" });
  filled.style.width = `${Math.min(100, (held.length / Number(usable)) * 100)}%`;
  return make("div", { class: "bar", "aria-hidden": "true" }, filled);
}
