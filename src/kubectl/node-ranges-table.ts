import { labelOfKey } from "../survey/pool-ranges.ts";
import { formatRangeSet } from "../survey/range-set.ts";
import { formatAge } from "../terminal/age.ts";
import { formatCount } from "../terminal/count.ts";
import type { Paint } from "../terminal/paint.ts";
import { type Cell, formatTable } from "../terminal/table.ts";
import type { NodeRangesItem } from "./node-ranges-list.ts";

const columns = ["NODE", "KEY", "RANGES", "SIZE", "USED", "FREE", "FULL"];

/** Nodes by networks, as people see them. */
export function formatItems(items: NodeRangesItem[], isWide: boolean, paint: Paint): string {
  const head = isWide ? [...columns, "NETWORKS", "MALFORMED"] : columns;
  return formatTable(
    head,
    items.flatMap((item) => rowsOf(item, isWide, paint)),
  );
}

/** One row a range set, or one that says why there is none. */
function rowsOf(item: NodeRangesItem, isWide: boolean, paint: Paint): Cell[][] {
  const { node, key, networks, sets, malformed } = item;
  const more = isWide ? [networks.join(",") || "<none>", malformed ?? ""] : [];
  if (sets.length === 0) {
    const ranges = malformed === undefined ? "<none>" : { text: "<malformed>", paint: paint.red };
    return [[node, labelOfKey(key) || "<none>", ranges, "-", "-", "-", "-", ...more]];
  }
  return sets.map(({ ranges, size, used, fullAt, closing }) => {
    const free = size - used;
    const shown = free <= 0 ? { text: String(free), paint: paint.red } : formatCount(free);
    const full = whenFull(free, fullAt);
    const words = `${formatRangeSet(ranges) || "<none>"}${closing ? " (closing)" : ""}`;
    return [node, labelOfKey(key), words, formatCount(size), String(used), shown, full, ...more];
  });
}

function whenFull(free: number, fullAt: string | undefined): string {
  if (free <= 0) return "now";
  return fullAt === undefined ? "-" : `in ${formatAge(Date.parse(fullAt) - Date.now())}`;
}
