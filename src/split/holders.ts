import { formatCidr } from "../address/cidr.ts";
import type { Holder } from "./committed-plan.ts";

/** What became of the plan's holders: `live` by UID, `gone` keep their blocks for a while, `released` no longer. */
export type Holders = { live: Map<string, Holder>; gone: Holder[]; released: Holder[] };

/**
 * A Node that was deleted keeps its blocks for `releaseAfter` milliseconds from when it was first missed: its pods may still run.
 * A UID never comes back, so that a Node made again under the same name is another one.
 */
export function sortHolders(
  holders: Holder[],
  liveUids: ReadonlySet<string>,
  now: Date,
  releaseAfter: number,
): Holders {
  const live = new Map(holders.filter(({ uid }) => liveUids.has(uid)).map((holder) => [holder.uid, holder]));
  const missed = holders
    .filter(({ uid }) => !liveUids.has(uid))
    .map((holder) => ({ ...holder, goneSince: holder.goneSince ?? now }));
  const isOver = ({ goneSince }: { goneSince: Date }) => now.getTime() - goneSince.getTime() >= releaseAfter;
  return {
    live,
    gone: missed.filter((holder) => !isOver(holder)),
    released: missed.filter(isOver),
  };
}

/** A block that a live Node has by now, of its annotation, no longer waits for the deleted one. */
export function withoutTakenOver(gone: Holder[], live: Holder[]): Holder[] {
  const taken = new Set(live.flatMap(({ blocks }) => blocks.map(formatCidr)));
  return gone.filter(({ blocks }) => !blocks.some((block) => taken.has(formatCidr(block))));
}
