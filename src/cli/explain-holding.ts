import { formatIp, type Ip } from "../address/ip.ts";
import { formatRange, gatewayOf, isInside, spanOf } from "../address/range.ts";
import type { Holding, Inventory } from "../lease/inventory.ts";
import { rangeSetsOf } from "../lease/range-use.ts";
import { visible } from "../text/visible.ts";
import { describeHolder, secondsOf } from "./holding-words.ts";

/** All that is known of an attachment, a line each thing. */
export function explainHolding(holding: Holding, { network }: Inventory): string {
  const { leases, record: found, verdict, since } = holding;
  const record = found?.record;
  const addresses = leases.map(({ ip }) => formatIp(ip)).join(" and ") || "no address of host-local's";
  const facts: [string, string | undefined][] = [
    ["Container", visible(holding.containerID)],
    ["Interface", visible(holding.ifname) || "not known: its lease names none"],
    ["Pod UID", record?.pod?.uid && visible(record.pod.uid)],
    ["Since", since === undefined ? undefined : secondsOf(since)],
    ["State", `${verdict.state}: ${visible(verdict.reason)}`],
    ...leases.map(({ ip }): [string, string] => ["Range", `${formatIp(ip)} ${describeOrigin(ip, holding)}`]),
    ["Netns", record?.netns && visible(record.netns)],
    ["Delegate", record?.delegate && visible(record.delegate)],
    ...leases.map(({ path }): [string, string] => ["Lease", path]),
    ["Record", found ? visible(found.path) : "none"],
  ];
  const lines = facts.flatMap(([name, value]) => (value ? `  ${`${name}:`.padEnd(12)}${value}` : []));
  return [`${describeHolder(holding)} holds ${addresses} in network ${network}`, ...lines].join("\n");
}

/** Out of which range set of its ADD an address came. */
function describeOrigin(ip: Ip, { record }: Holding): string {
  const sets = rangeSetsOf(record?.record?.ipam);
  const index = sets.findIndex((set) => set.some((range) => isInside(spanOf(range), ip)));
  const range = sets[index]?.find((one) => isInside(spanOf(one), ip));
  if (!range) return sets.length === 0 ? "of a range that is not known" : "of none of the ranges of its ADD";
  const gateway = gatewayOf(range);
  const origin = range.pool ? `of ${range.pool.block}, ${formatRange(range)}` : `of ${formatRange(range)}`;
  return `${origin}, range set ${index + 1} of ${sets.length}, ${gateway ? `gateway ${formatIp(gateway)}` : "no gateway"}`;
}
