import { formatIp, parseIp } from "../address/ip.ts";
import type { PoolReference } from "../api/pool-names.ts";
import { poolFaults } from "../api/pool-rules.ts";
import { type CIDRPoolSpec, type IPPoolSpec, type PlacedFault, readPoolShape } from "../api/pool-shape.ts";
import type { PoolStatus } from "../api/pool-status.ts";
import { parseDuration } from "../text/duration.ts";
import type { JsonObject } from "../text/json.ts";
import { quote } from "../text/quote.ts";
import { countPodPlaces } from "./block-addresses.ts";
import { cutPool } from "./cut-pool.ts";
import { selectNodes, selectorFaults } from "./node-selector.ts";
import type { Pool } from "./pool.ts";

export type PoolDocument = PoolReference & { uid: string; spec: JsonObject; frozen?: PoolStatus["grid"] };

/** A pool that can't be planned with; its blocks stay as they are. `reason` is the condition's. */
export type UnfitPool = { reason: "InvalidSpec" | "GridMoved"; faults: PlacedFault[] };

/** A pool of ours or of nv-ipam's group. `frozen` is the grid in its status, which a spec can't move. */
export function readPool({ kind, name, uid, spec: raw, frozen }: PoolDocument): { pool: Pool } | UnfitPool {
  const early = poolFaults(kind, raw);
  const read = readPoolShape(kind, raw);
  if (early.length > 0 || "faults" in read) return { reason: "InvalidSpec", faults: early };
  const { spec } = read;
  const { times, faults: timeFaults } = readTimes(spec);
  const pool: Pool = {
    kind,
    name,
    uid,
    ...cutPool(spec),
    routes: (spec.routes ?? []).map(({ dst }) => ({ dst })),
    defaultGateway: spec.defaultGateway ?? false,
    ...times,
    allowOverlap: spec.allowOverlap ?? false,
    selects: selectNodes(spec.nodeSelector),
  };
  const faults = [...timeFaults, ...selectorFaults(spec.nodeSelector), ...emptyBlockFaults(pool, spec)];
  if (faults.length > 0) return { reason: "InvalidSpec", faults };
  const moved = movedFaults(pool, frozen);
  return moved.length > 0 ? { reason: "GridMoved", faults: moved } : { pool };
}

const defaults = { blockReleaseDelay: "24h", blockHoldTime: "12h" };

function readTimes(spec: IPPoolSpec | CIDRPoolSpec): {
  times: Pick<Pool, "holdsFor" | "releaseDelay">;
  faults: PlacedFault[];
} {
  const given = { ...defaults, ...spec };
  const faults = (["blockReleaseDelay", "blockHoldTime"] as const).flatMap((key) =>
    parseDuration(given[key] ?? "") === undefined
      ? [{ path: [key], words: `${quote(given[key] ?? "")}: expected a duration such as 30m or 24h` }]
      : [],
  );
  const seconds = (text: string) => Math.floor((parseDuration(text) ?? 0) / 1000);
  const times = {
    holdsFor: seconds(given.blockHoldTime ?? ""),
    releaseDelay: seconds(given.blockReleaseDelay ?? ""),
  };
  if (faults.length === 0 && times.holdsFor >= times.releaseDelay)
    faults.push({
      path: ["blockHoldTime"],
      words: `${given.blockHoldTime}: expected less than blockReleaseDelay, ${given.blockReleaseDelay}: a node that was cut off would use what is given away`,
    });
  return { times, faults };
}

/** Whatever block were given, no pod on its node would get an address. */
function emptyBlockFaults(pool: Pool, spec: IPPoolSpec | CIDRPoolSpec): PlacedFault[] {
  if (countPodPlaces(pool) > 0n) return [];
  const key = (["perNodeExclusions", "perNodeReserved", "gatewayIndex"] as const).find((one) => one in spec);
  return [{ path: key ? [key] : [], words: "leaves no address of a block for pods" }];
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
