import { labelOfKey } from "../survey/pool-ranges.ts";
import { formatRangeSet } from "../survey/range-set.ts";
import { cutLine } from "../terminal/cut-line.ts";
import { harmless } from "../terminal/harmless.ts";
import type { Paint } from "../terminal/paint.ts";
import type { NodeRangesItem } from "./node-ranges-list.ts";
import { formatItems } from "./node-ranges-table.ts";
import type { Shell } from "./shell.ts";

/** Shows all items as they are now. */
export type ShowItems = (items: NodeRangesItem[]) => void;

/** A table in the place of the one before, as much of it as the window has room for. */
export function showOnScreen(shell: Shell): ShowItems {
  return (items) => {
    const { width = 80, height = 24 } = shell;
    // The cursor wants a line below.
    const lines = formatScreen(items, height - 1, shell.paint);
    shell.repaint(lines.map((line) => cutLine(harmless(line), width)).join("\n"));
  };
}

/** A head, the table and, where it is longer than `height` lines in all, how much of it isn't there. */
function formatScreen(items: NodeRangesItem[], height: number, paint: Paint): string[] {
  const nodes = new Set(items.map(({ node }) => node)).size;
  const whose = nodes === 1 ? "1 node's" : `${nodes} nodes'`;
  const head = paint.dim(`${whose} ranges, ${new Date().toLocaleTimeString()}`);
  const table = formatItems(items, false, paint).split("\n");
  if (table.length < height) return [head, ...table];
  const shown = table.slice(0, Math.max(0, height - 2));
  const left = table.length - shown.length;
  const more = paint.dim(`… and ${left} lines more: -l or --key shows fewer`);
  return [head, ...shown, more].slice(0, Math.max(1, height));
}

/** A line with the time for each that is new, changed or gone: `TIME NODE KEY RANGES used=N size=N`. */
export function showAsLines(shell: Shell): ShowItems {
  let before = new Map<string, string>();
  return (items) => {
    const now = new Map(items.flatMap(linesOf));
    const time = new Date().toISOString();
    for (const [name, words] of now) if (before.get(name) !== words) shell.print(`${time} ${name} ${words}`);
    for (const name of before.keys()) if (!now.has(name)) shell.print(`${time} ${name} gone`);
    before = now;
  };
}

function linesOf(item: NodeRangesItem): [name: string, words: string][] {
  const { node, sets, malformed } = item;
  const key = labelOfKey(item.key);
  if (sets.length === 0)
    return [[`${node} ${key || "<none>"}`, malformed === undefined ? "<none>" : `malformed: ${malformed}`]];
  return sets.map(({ ranges, size, used, closing }) => [
    `${node} ${key} ${formatRangeSet(ranges)}`,
    `used=${used} size=${size}${closing ? " closing" : ""}`,
  ]);
}
