import type { Item } from "./rows.ts";

/** What a tile is, beside the mouse. Screen readers have it as the tile's label. */
export function createTip(root: HTMLElement) {
  function hide(): void {
    root.hidden = true;
  }

  function show(item: Item | undefined, box: DOMRect | undefined): void {
    if (!item || !box) {
      hide();
      return;
    }
    root.textContent = item.words;
    root.hidden = false;
    const { width, height } = root.getBoundingClientRect();
    const left = Math.max(8, Math.min(innerWidth - width - 8, box.left + box.width / 2 - width / 2));
    const above = box.top - height - 8;
    root.style.left = `${left}px`;
    root.style.top = `${above < 8 ? box.bottom + 8 : above}px`;
  }

  return { show, hide };
}
