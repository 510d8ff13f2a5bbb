import { formatIp } from "../address/ip.ts";
import { type NvPool, poolGridKey } from "../api/nv-ipam.ts";
import type { Pool } from "../pool/pool.ts";
import { isObject } from "../text/json.ts";

export type PoolGrid = { first: string; size: string };

/** The grid of a pool as its status or annotation keeps it. */
export function formatGrid({ grid: { family, first, size } }: Pool): PoolGrid {
  return { first: formatIp({ family, value: first }), size: String(size) };
}

/** What the annotation of one of nv-ipam's pools says of its grid. One that can't be read is no pool's grid, and so says that it moved. */
export function frozenGridOf({ annotations }: Pick<NvPool, "annotations">): { frozen?: PoolGrid } {
  const text = annotations[poolGridKey];
  if (text === undefined) return {};
  try {
    const grid: unknown = JSON.parse(text);
    if (isObject(grid) && typeof grid["first"] === "string" && typeof grid["size"] === "string")
      return { frozen: { first: grid["first"], size: grid["size"] } };
  } catch {
    // Not JSON: as below.
  }
  return { frozen: { first: text, size: text } };
}
