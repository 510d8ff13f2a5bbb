import { allowOverlapKey, type NvPool, setBackKey } from "../api/nv-ipam.ts";
import type { PoolCondition, PoolStatus } from "../api/pool-status.ts";
import type { JsonObject } from "../text/json.ts";
import { frozenGridOf } from "./pool-grid.ts";

/** The spec and the status of one of nv-ipam's pools as ours would say it: what its kind has no place for stands in annotations. */
export function asOurs({ spec, annotations }: Pick<NvPool, "spec" | "annotations">): {
  spec: JsonObject;
  status: PoolStatus;
} {
  const { frozen } = frozenGridOf({ annotations });
  const since = annotations[setBackKey];
  return {
    spec: annotations[allowOverlapKey] === "true" ? { ...spec, allowOverlap: true } : spec,
    status: { ...(frozen && { grid: frozen }), ...(since !== undefined && { conditions: [setBack(since)] }) },
  };
}

function setBack(lastTransitionTime: string): PoolCondition {
  return { type: "SetBack", status: "True", reason: "NotRebuilt", message: "", lastTransitionTime };
}
