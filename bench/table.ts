export type Cell = string | number | undefined;

/** A Markdown table that also reads well as it is. Columns of numbers stand to the right. */
export function formatTable(head: string[], rows: Cell[][]): string {
  const body = rows.map((row) => row.map((cell) => (cell === undefined ? "" : String(cell))));
  const columns = head.map((title, index) => {
    const cells = body.map((row) => row[index] ?? "");
    const width = Math.max(3, ...[title, ...cells].map(({ length }) => length));
    return { width, numbers: index > 0 && cells.every((cell) => /^([-+]?[\d.,]+%?)?$/.test(cell)) };
  });
  const line = (row: string[]) =>
    `| ${columns.map(({ width, numbers }, i) => (numbers ? row[i]?.padStart(width) : row[i]?.padEnd(width))).join(" | ")} |`;
  const rule = columns.map(({ width, numbers }) => `${"-".repeat(width + 1)}${numbers ? ":" : "-"}`);
  return [line(head), `|${rule.join("|")}|`, ...body.map(line)].join("\n");
}
