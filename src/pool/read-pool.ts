import type { PoolReference } from "../api/pool-names.ts";
import type { PlacedFault } from "../api/pool-shape.ts";
import type { PoolStatus } from "../api/pool-status.ts";
import type { JsonObject } from "../text/json.ts";
import type { Pool } from "./pool.ts";

export type PoolDocument = PoolReference & { uid: string; spec: JsonObject; frozen?: PoolStatus["grid"] };

/** A pool that can't be planned with; its blocks stay as they are. `reason` is the condition's. */
export type UnfitPool = { reason: "InvalidSpec" | "GridMoved"; faults: PlacedFault[] };

/** A pool of ours or of nv-ipam's group. `frozen` is the grid in its status, which a spec can't move. */
export function readPool(_document: PoolDocument): { pool: Pool } | UnfitPool {
  throw new Error("not yet");
}
