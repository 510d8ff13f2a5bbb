import { parseDuration } from "../text/duration.ts";
import type { CIDRPoolSpec, IPPoolSpec } from "./pool-shape.ts";

/** How long a gone Node's block is kept, and how long a node uses its own without a word of the API server, where a spec doesn't say. */
export const usualTimes = { blockReleaseDelay: "24h", blockHoldTime: "12h" };

/** Seconds for which a call may still be at work that began when the block's time was not yet over (request/budget.ts: longestCall). */
export const callTime = 240;

/** A duration of Go's: so few digits that the sum of what fits into a field is one, too. */
export const goDuration = /^([0-9]{1,5}([.][0-9]{1,9})?(h|m|s|ms))+$/;

/** Both in milliseconds; of a spec in the right shape. */
export function poolTimes(spec: Pick<IPPoolSpec | CIDRPoolSpec, keyof typeof usualTimes>): {
  releaseDelay: number;
  holdTime: number;
} {
  const { blockReleaseDelay, blockHoldTime } = { ...usualTimes, ...spec };
  return {
    releaseDelay: parseDuration(blockReleaseDelay ?? "") ?? 0,
    holdTime: parseDuration(blockHoldTime ?? "") ?? 0,
  };
}
