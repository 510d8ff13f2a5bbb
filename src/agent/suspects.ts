import type { Leak } from "../lease/leaks.ts";
import type { Place } from "../upkeep/networks.ts";

/** A leak, and the network that it is in. */
export type PlacedLeak = Leak & Place;

/** Leaks by name, with the time at which each was first seen, in milliseconds of a clock that nobody sets. */
export type Suspects = ReadonlyMap<string, number>;

/**
 * One more look: who is suspected now, and which of them may be freed. That takes two looks that found the very same leak,
 * `graceMs` or more apart; who was seen to live in between begins anew.
 */
export function suspect<L extends PlacedLeak>(
  before: Suspects,
  leaks: readonly L[],
  now: number,
  graceMs: number,
): { suspects: Suspects; due: L[] } {
  const suspects = new Map(leaks.map((leak) => [nameOf(leak), before.get(nameOf(leak)) ?? now]));
  const due = leaks.filter((leak) => {
    const since = before.get(nameOf(leak));
    return leak.freeable && since !== undefined && now - since >= graceMs;
  });
  return { suspects, due };
}

/** A container that is attached anew has another record: its links are part of the name. */
export function nameOf({ dataDir, network, kind, subject, holding }: PlacedLeak): string {
  const links = holding?.record?.links.join(" ") ?? "";
  return [dataDir, network, kind, holding?.containerID ?? "", subject, links].join("\n");
}
