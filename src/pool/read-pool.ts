import { formatIp, parseIp } from "../address/ip.ts";
import type { PoolReference } from "../api/pool-names.ts";
import { poolFaults } from "../api/pool-rules.ts";
import { type PlacedFault, readPoolShape } from "../api/pool-shape.ts";
import type { PoolStatus } from "../api/pool-status.ts";
import { callTime, poolTimes } from "../api/pool-times.ts";
import type { JsonObject } from "../text/json.ts";
import { countPodPlaces } from "./block-addresses.ts";
import { cutPool } from "./cut-pool.ts";
import { selectNodes } from "./node-selector.ts";
import type { Pool } from "./pool.ts";

export type PoolDocument = PoolReference & { uid: string; spec: JsonObject; frozen?: PoolStatus["grid"] };

/** A pool that can't be planned with; its blocks stay as they are. `reason` is the condition's. */
export type UnfitPool = { reason: "InvalidSpec" | "GridMoved"; faults: PlacedFault[] };

/** A pool of ours or of nv-ipam's group. `frozen` is the grid in its status, which a spec can't move. */
export function readPool({ kind, name, uid, spec: raw, frozen }: PoolDocument): { pool: Pool } | UnfitPool {
  const faults = poolFaults(kind, raw);
  const read = readPoolShape(kind, raw);
  if (faults.length > 0 || "faults" in read) return { reason: "InvalidSpec", faults };
  const { spec } = read;
  const { releaseDelay, holdTime } = poolTimes(spec);
  const pool: Pool = {
    kind,
    name,
    uid,
    ...cutPool(spec),
    routes: (spec.routes ?? []).map(({ dst }) => ({ dst })),
    defaultGateway: spec.defaultGateway ?? false,
    holdsFor: Math.floor(Math.max(0, Math.min(holdTime, releaseDelay - callTime * 1000)) / 1000),
    releaseDelay: Math.floor(releaseDelay / 1000),
    allowOverlap: spec.allowOverlap ?? false,
    selects: selectNodes(spec.nodeSelector),
  };
  if (countPodPlaces(pool) === 0n)
    return {
      reason: "InvalidSpec",
      faults: [
        {
          path: ["gatewayIndex"],
          words: "the gateway is all that is left of each block: exclude fewer addresses",
        },
      ],
    };
  const moved = movedFaults(pool, frozen);
  return moved.length > 0 ? { reason: "GridMoved", faults: moved } : { pool };
}

function movedFaults({ kind, grid }: Pool, frozen: PoolStatus["grid"]): PlacedFault[] {
  if (!frozen) return [];
  const [network, size] =
    kind === "IPPool" ? ["subnet", "perNodeBlockSize"] : ["cidr", "perNodeNetworkPrefix"];
  const first = { family: grid.family, value: grid.first };
  const before = parseIp(frozen.first);
  const keep = "blocks were given by it: put the old value back, or make another pool";
  return [
    ...(before?.family === grid.family && before.value === grid.first
      ? []
      : [
          {
            path: [network],
            words: `its blocks would begin at ${formatIp(first)}, not at ${frozen.first}; ${keep}`,
          },
        ]),
    ...(frozen.size === String(grid.size)
      ? []
      : [
          {
            path: [size],
            words: `its blocks would have ${grid.size} addresses, not ${frozen.size}; ${keep}`,
          },
        ]),
  ];
}
