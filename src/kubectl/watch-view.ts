import { labelOfKey } from "../survey/pool-ranges.ts";
import { formatRangeSet } from "../survey/range-set.ts";
import type { NodeRangesItem } from "./node-ranges-list.ts";
import { formatItems } from "./node-ranges-table.ts";
import type { Shell } from "./shell.ts";

/** Shows all items as they are now. */
export type ShowItems = (items: NodeRangesItem[]) => void;

/** A table in the place of the one before, as much of it as the window has lines for. */
export function showOnScreen(shell: Shell): ShowItems {
  return (items) => {
    const room = Math.max(5, (process.stdout.rows || 24) - 3);
    const lines = formatItems(items, false, shell.paint).split("\n");
    const left = lines.length - room;
    const more = left > 0 ? [shell.paint.dim(`… and ${left} lines more: -l or --key shows fewer`)] : [];
    const now = new Date().toLocaleTimeString();
    const shown = [
      shell.paint.dim(`${items.length} nodes' ranges, ${now}`),
      ...lines.slice(0, room),
      ...more,
    ];
    shell.repaint(shown.join("\n"));
  };
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
