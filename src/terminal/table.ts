/** One cell: text, and how it is to be painted where there is colour. */
export type Cell = string | { text: string; paint: (text: string) => string };

const gap = "   ";

/** A table as kubectl has it: a head in capitals, columns three blanks apart, nothing at the ends of lines. */
export function formatTable(head: string[], rows: Cell[][]): string {
  const all = [head as Cell[], ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => textOf(row[column]).length)));
  return all.map((row) => formatRow(row, widths)).join("\n");
}

function formatRow(row: Cell[], widths: number[]): string {
  const last = row.findLastIndex((cell) => textOf(cell) !== "");
  const cells = row.slice(0, last + 1).map((cell, column) => {
    const text = textOf(cell);
    const shown = typeof cell === "string" ? text : cell.paint(text);
    return column === last ? shown : shown + " ".repeat((widths[column] ?? 0) - text.length);
  });
  return cells.join(gap);
}

function textOf(cell: Cell | undefined): string {
  return typeof cell === "string" ? cell : (cell?.text ?? "");
}
