import type { Item, Row } from "./rows.ts";

/** Where in the picture the keyboard is. */
export type Pointer = {
  row(): number;
  item(): Item | undefined;
  /** To the first such item, where there is one. */
  to(matches: (item: Item) => boolean): boolean;
  /** As a key of the keyboard says; false where it says nothing. */
  move(key: string, isControl: boolean): boolean;
};

// Rows that Page Up and Page Down pass by.
const page = 10;

/** Starts at the first block, or what else there is. */
export function createPointer(rows: readonly Row[]): Pointer {
  const places = rows.flatMap(({ items }, row) => (items.length > 0 ? [row] : []));
  const start = places.find((row) =>
    rows[row]?.items.some(({ blocks, look }) => blocks.length > 0 && look !== "section"),
  );
  let row = start ?? places[0] ?? 0;
  let column = Math.max(
    0,
    itemsOf(row).findIndex(({ blocks }) => blocks.length > 0),
  );
  // Moving up and down keeps to this part of the width, as in a text.
  let across = middleOf(itemsOf(row)[column]);

  function itemsOf(at: number): readonly Item[] {
    return rows[at]?.items ?? [];
  }

  function toColumn(next: number): void {
    const last = itemsOf(row).length - 1;
    if (next >= 0 && next <= last) column = next;
    else if (next < 0 && stepRows(-1)) column = itemsOf(row).length - 1;
    else if (next > last && stepRows(1)) column = 0;
    across = middleOf(itemsOf(row)[column]);
  }

  function stepRows(by: number): boolean {
    const at = places.indexOf(row);
    const next = places[Math.max(0, Math.min(places.length - 1, at + by))];
    if (next === undefined || next === row) return false;
    row = next;
    return true;
  }

  function toRow(by: number): void {
    if (!stepRows(by)) return;
    column = nearest(itemsOf(row), across);
  }

  return {
    row: () => row,
    item: () => itemsOf(row)[column],
    to(matches) {
      for (const at of places) {
        const found = itemsOf(at).findIndex(matches);
        if (found < 0) continue;
        [row, column, across] = [at, found, middleOf(itemsOf(at)[found])];
        return true;
      }
      return false;
    },
    move(key, isControl) {
      if (key === "ArrowRight") toColumn(column + 1);
      else if (key === "ArrowLeft") toColumn(column - 1);
      else if (key === "ArrowDown") toRow(1);
      else if (key === "ArrowUp") toRow(-1);
      else if (key === "PageDown") toRow(page);
      else if (key === "PageUp") toRow(-page);
      else if (key === "Home" || key === "End") {
        if (isControl) stepRows(key === "Home" ? -places.length : places.length);
        toColumn(key === "Home" ? 0 : itemsOf(row).length - 1);
      } else return false;
      return true;
    },
  };
}

function middleOf(item: Item | undefined): number {
  return item ? (item.from + item.to) / 2 : 0;
}

function nearest(items: readonly Item[], across: number): number {
  const distances = items.map(({ from, to }) =>
    across < from ? from - across : across > to ? across - to : 0,
  );
  return distances.indexOf(Math.min(...distances));
}
