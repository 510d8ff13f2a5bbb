import { formatRange } from "../address/range.ts";
import type { RangeUse } from "../lease/range-use.ts";
import type { NetworkUsage } from "../upkeep/network-usage.ts";

/** Something that people should hear of, as long as it is so. `key` says of what: one series of events each. */
export type Condition = {
  reason: "RangesMalformed" | "RangeNearlyFull" | "RangeFull";
  key: string;
  note: string;
};

const nearlyFull = 0.9;
/** Below this, what was nearly full is so no more: a range that goes up and down around the limit is told of once. */
const roomy = 0.85;

/** What is so now; `before` has the keys of ranges that were nearly full. */
export function conditionsOf(usages: readonly NetworkUsage[], before: ReadonlySet<string>): Condition[] {
  return usages.flatMap((usage) => {
    const { network, source, fault, uses } = usage;
    if (fault !== undefined)
      return [{ reason: "RangesMalformed" as const, key: `${network} ${source}`, note: fault }];
    return uses.flatMap((use) => fullness(network, use, before));
  });
}

function fullness(network: string, use: RangeUse, before: ReadonlySet<string>): Condition[] {
  const range = formatRange(use.range);
  const key = `${network} ${range}`;
  const part = utilization(use);
  const so = `${use.used} of ${use.size} addresses of ${range} are used in network ${network}`;
  if (use.size > 0n && use.free === 0n)
    return [{ reason: "RangeFull", key, note: `${so}: pods get none out of it` }];
  if (part < (before.has(key) ? roomy : nearlyFull)) return [];
  return [{ reason: "RangeNearlyFull", key, note: `${so}: ${use.free} are left` }];
}

/** 0 to 1; an empty range is full. */
export function utilization({ size, used }: RangeUse): number {
  return size === 0n ? 1 : Math.min(1, Number(used) / Number(size));
}
