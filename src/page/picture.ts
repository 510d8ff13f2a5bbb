import type { Block } from "../map/territory.ts";
import { make } from "./elements.ts";
import { createPointer, type Pointer } from "./pointer.ts";
import type { Item, Row } from "./rows.ts";

export type PictureHooks = {
  /** The item that has the keyboard's focus, or that was clicked at. */
  onSelect(item: Item): void;
  onOpen(item: Item): void;
  /** The item under the mouse, and where on the screen it is. */
  onHover(item: Item | undefined, box: DOMRect | undefined): void;
};

export type Picture = {
  /** What was pointed at stays so where it is still there, and the focus in the picture where it was. */
  show(rows: readonly Row[]): void;
  /** Scrolls to the first such item, and gives it the focus where `take` says so. False where there is none. */
  select(matches: (item: Item) => boolean, take: boolean): boolean;
  /** Everything else is dimmed; undefined: nothing is. */
  emphasize(blocks: ReadonlySet<Block> | undefined): void;
};

// Rows this far outside of the window are kept ready, in pixels.
const ahead = 300;

/** The picture as an ARIA grid. Of its rows only those in sight (and the one with the focus) are in the document. */
export function createPicture(root: HTMLElement, hooks: PictureHooks): Picture {
  let rows: readonly Row[] = [];
  let tops: number[] = [];
  let emphasis: ReadonlySet<Block> | undefined;
  let pointer: Pointer = createPointer([]);
  let marked: Item | undefined;
  const drawn = new Map<number, HTMLElement>();
  const items = new WeakMap<Element, Item>();

  function draw(): void {
    const box = root.getBoundingClientRect();
    const [from, to] = [-box.top - ahead, innerHeight - box.top + ahead];
    const wanted = new Set<number>([pointer.row()]);
    for (let at = firstBelow(tops, from); at < rows.length && (tops[at] as number) < to; at++) wanted.add(at);
    for (const [at, element] of drawn) {
      if (wanted.has(at)) continue;
      element.remove();
      drawn.delete(at);
    }
    for (const at of [...wanted].sort((a, b) => a - b)) if (rows[at] && !drawn.has(at)) insert(at);
  }

  function insert(at: number): void {
    const element = drawRow(rows[at] as Row, at);
    const next = [...drawn].filter(([other]) => other > at).sort(([a], [b]) => a - b)[0];
    root.insertBefore(element, next ? next[1] : null);
    drawn.set(at, element);
  }

  function drawRow(row: Row, at: number): HTMLElement {
    const label = make("div", { class: "label", role: "rowheader" }, row.label);
    const strip = make("div", { class: "strip", role: "none" });
    const element = make(
      "div",
      { class: `row ${row.kind}`, role: "row", "aria-rowindex": at + 1 },
      label,
      strip,
    );
    element.style.top = `${tops[at]}px`;
    element.style.height = `${row.height}px`;
    if (row.words !== "") strip.append(make("div", { class: "words", role: "gridcell" }, row.words));
    for (const item of row.items) strip.append(drawItem(item));
    return element;
  }

  function drawItem(item: Item): HTMLElement {
    const isSelected = pointer.item() === item;
    const element = make("div", {
      class: `tile ${item.look}${isDimmed(item) ? " dimmed" : ""}`,
      role: "gridcell",
      tabindex: isSelected ? 0 : -1,
      "aria-label": item.words,
      "aria-selected": isSelected,
    });
    element.style.left = `${item.from * 100}%`;
    element.style.width = `${(item.to - item.from) * 100}%`;
    const face = make("div", { class: "face" });
    if (item.name !== "") face.append(make("span", { class: "name" }, item.name));
    if (item.note !== "") face.append(make("span", { class: "note" }, item.note));
    element.append(face);
    items.set(element, item);
    return element;
  }

  function isDimmed({ blocks }: Item): boolean {
    return emphasis !== undefined && !blocks.some((block) => emphasis?.has(block));
  }

  function redraw(): void {
    for (const element of drawn.values()) element.remove();
    drawn.clear();
    draw();
  }

  /** Moves the mark to the pointer's item: it is what Tab comes to, and what is told of. */
  function mark(): HTMLElement | undefined {
    draw();
    const item = pointer.item();
    const tiles = [...(drawn.get(pointer.row())?.querySelectorAll<HTMLElement>(".tile") ?? [])];
    const element = tiles.find((tile) => items.get(tile) === item);
    for (const old of root.querySelectorAll('[tabindex="0"]')) setMark(old, false);
    if (!item || !element) return undefined;
    setMark(element, true);
    marked = item;
    hooks.onSelect(item);
    return element;
  }

  function setMark(element: Element, isMarked: boolean): void {
    element.setAttribute("aria-selected", String(isMarked));
    element.setAttribute("tabindex", isMarked ? "0" : "-1");
  }

  function bringIntoSight(): void {
    const top = root.getBoundingClientRect().top + (tops[pointer.row()] ?? 0);
    const height = rows[pointer.row()]?.height ?? 0;
    const [low, high] = [200, innerHeight - 60];
    if (top < low || top + height > high) scrollBy({ top: top - (low + high) / 2 });
  }

  function itemAt(event: Event): Item | undefined {
    const tile = (event.target as Element).closest(".tile");
    return tile ? items.get(tile) : undefined;
  }

  root.addEventListener("keydown", (event) => {
    if (event.altKey || event.metaKey) return;
    const item = pointer.item();
    if ((event.key === "Enter" || event.key === " ") && item) hooks.onOpen(item);
    else if (!pointer.move(event.key, event.ctrlKey)) return;
    else {
      bringIntoSight();
      mark()?.focus({ preventScroll: true });
    }
    event.preventDefault();
  });
  root.addEventListener("click", (event) => {
    const item = itemAt(event);
    if (!item) return;
    pointer.to((other) => other === item);
    mark()?.focus({ preventScroll: true });
  });
  root.addEventListener("dblclick", (event) => {
    const item = itemAt(event);
    if (item) hooks.onOpen(item);
  });
  root.addEventListener("focusin", (event) => {
    const item = itemAt(event);
    if (item && item !== marked && pointer.to((other) => other === item)) mark();
  });
  root.addEventListener("mouseover", (event) => {
    const tile = (event.target as Element).closest(".tile");
    hooks.onHover(itemAt(event), tile?.getBoundingClientRect());
  });
  root.addEventListener("mouseleave", () => hooks.onHover(undefined, undefined));
  addEventListener("scroll", draw, { passive: true });

  return {
    show(next) {
      const kept = pointer.item()?.key;
      const hadFocus = root.contains(document.activeElement);
      rows = next;
      let top = 0;
      tops = rows.map(({ height }) => {
        top += height;
        return top - height;
      });
      const label = rows.reduce(
        (most, row) => (row.kind === "tiles" ? Math.max(most, row.label.length) : most),
        0,
      );
      root.style.setProperty("--label", `${label * 7.3}px`);
      root.style.height = `${top}px`;
      root.setAttribute("aria-rowcount", String(rows.length));
      pointer = createPointer(rows);
      pointer.to(({ key }) => key === kept);
      redraw();
      if (hadFocus) mark()?.focus({ preventScroll: true });
    },
    select(matches, take) {
      if (!pointer.to(matches)) return false;
      bringIntoSight();
      const element = mark();
      if (take) element?.focus({ preventScroll: true });
      return true;
    },
    emphasize(blocks) {
      emphasis = blocks;
      for (const tile of root.querySelectorAll(".tile")) {
        const item = items.get(tile);
        if (item) tile.classList.toggle("dimmed", isDimmed(item));
      }
    },
  };
}

function firstBelow(tops: readonly number[], from: number): number {
  let low = 0;
  let high = tops.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((tops[middle] as number) < from) low = middle + 1;
    else high = middle;
  }
  return low;
}
