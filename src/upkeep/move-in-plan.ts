import { contains, parseCidr } from "../address/cidr.ts";
import { formatIp, parseIp } from "../address/ip.ts";
import type { Range } from "../address/range.ts";
import type { PoolAnnotation, PoolAnnotationBlock } from "../api/pool-annotation.ts";
import { parsePoolRange } from "../api/pool-annotation.ts";
import type { PoolReference } from "../api/pool-names.ts";
import { type OldLease, oldPoolKey } from "../lease/nv-ipam-store.ts";
import { blockRanges, rangeOfAddress } from "../ranges/pool-source.ts";
import type { Life } from "./life.ts";

/** A pool with what this Node's annotation says of it; undefined where it says nothing. */
export type ShownPool = PoolReference & { annotation: PoolAnnotation | undefined };

/** What an attachment is to have: host-local is given `alone`, the record says `ranges`, as an ADD's would. */
export type Taking = Pick<OldLease, "containerID" | "ifname" | "pod"> & {
  life: Life;
  addresses: { lease: OldLease; alone: Range; ranges: Range[] }[];
};

/** Of each lease of the pools what is to become of it, and why. */
export type MoveInPlan = {
  take: Taking[];
  left: { lease: OldLease; outcome: "ended" | "doubt" | "elsewhere" | "waits"; reason: string }[];
};

/** Nothing is taken over on doubt. What is dead for certain contradicts nobody. */
export function planMoveIn(
  leases: readonly OldLease[],
  pools: readonly ShownPool[],
  network: string,
  lifeOf: (lease: OldLease) => Life,
): MoveInPlan {
  const shown = new Map(pools.map((pool) => [oldPoolKey(pool.kind, pool.name), pool]));
  const left: MoveInPlan["left"] = [];
  const living = leases.flatMap((lease) => {
    const pool = shown.get(lease.pool);
    if (!pool) return [];
    const life = lifeOf(lease);
    const leave = (outcome: MoveInPlan["left"][number]["outcome"], reason: string) => {
      left.push({ lease, outcome, reason });
      return [];
    };
    if (life.state === "dead") return leave("ended", life.reason);
    if (life.network !== undefined && life.network !== network)
      return leave("elsewhere", `it is of network ${life.network}`);
    if (!pool.annotation) return leave("waits", `the Node shows no block of ${pool.kind} ${pool.name} yet`);
    return [{ lease, life, annotation: pool.annotation }];
  });
  const holders = Map.groupBy(living, ({ lease }) => `${lease.pool} ${formatIp(lease.ip)}`);
  const groups = new Map<string, Taking>();
  for (const { lease, life, annotation } of living) {
    const rival = holders
      .get(`${lease.pool} ${formatIp(lease.ip)}`)
      ?.find((other) => other.lease !== lease)?.lease;
    const block = annotation.blocks.find((one) => isIn(one, lease));
    const doubt =
      lease.doubt ??
      (rival && `container ${rival.containerID} has the same address there`) ??
      (block ? undefined : "it is outside of every block that the Node's annotation shows");
    if (doubt !== undefined || !block) left.push({ lease, outcome: "doubt", reason: doubt ?? "" });
    else {
      const key = `${lease.containerID}:${lease.ifname}`;
      const { containerID, ifname, pod } = lease;
      const group = groups.get(key) ?? { containerID, ifname, pod, life, addresses: [] };
      const alone = rangeOfAddress(block, annotation, lease.ip);
      const whole = blockRanges(block, annotation);
      group.addresses.push({ lease, alone, ranges: whole.length > 0 ? whole : [alone] });
      groups.set(key, group);
    }
  }
  return { take: [...groups.values()], left };
}

/** Between a block's first and last address, of those that no pod gets any more too; the gateway may be a pod. */
function isIn(block: PoolAnnotationBlock, { ip }: OldLease): boolean {
  const cidr = parseCidr(block.subnet);
  if (!cidr || cidr.ip.family !== ip.family || !contains(cidr, ip)) return false;
  if (block.gateway === formatIp(ip)) return true;
  const spans = block.ranges.flatMap((text) => parsePoolRange(text) ?? []);
  const first = (block.first === undefined ? undefined : parseIp(block.first)) ?? spans[0]?.first;
  const last = spans.at(-1)?.last;
  return first !== undefined && last !== undefined && first.value <= ip.value && ip.value <= last.value;
}
