import { clip, countIn, gaps, mergeRuns, type Run } from "../address/runs.ts";
import type { CIDRPoolSpec, IPPoolSpec, PlacedFault } from "./pool-shape.ts";
import { poolTimes } from "./pool-times.ts";

type Spec = IPPoolSpec | CIDRPoolSpec;

/** What leaves no address of a block; `usable` are the places in it that pods could have. */
export function blockFaults(spec: Spec, usable: Run): PlacedFault[] {
  const { first = 0, last = 0 } = spec.perNodeReserved ?? {};
  const left = { first: usable.first + BigInt(first), last: usable.last - BigInt(last) };
  if (left.last < left.first) {
    const words = `the first ${first} and the last ${last} leave no address of a block's ${countIn([usable])}: reserve fewer`;
    return [{ path: ["perNodeReserved"], words }];
  }
  const excluded = mergeRuns(
    (spec.perNodeExclusions ?? [])
      .filter(({ startIndex, endIndex }) => startIndex <= endIndex)
      .map(({ startIndex, endIndex }) => ({ first: BigInt(startIndex), last: BigInt(endIndex) })),
  );
  if (gaps(left, clip(excluded, left)).length > 0) return [];
  return [{ path: ["perNodeExclusions"], words: "they leave no address of a block: exclude fewer" }];
}

/** A node must have stopped using its block before another one gets it. */
export function timeFaults(spec: Spec): PlacedFault[] {
  const { releaseDelay, holdTime } = poolTimes(spec);
  if (holdTime < 1000) return [{ path: ["blockHoldTime"], words: "expected a second at least" }];
  if (holdTime < releaseDelay) return [];
  const words =
    "blockHoldTime (12h where it isn't set) must be shorter than blockReleaseDelay (24h where it isn't set): set both, the delay longer";
  return [{ path: [spec.blockHoldTime === undefined ? "blockReleaseDelay" : "blockHoldTime"], words }];
}
