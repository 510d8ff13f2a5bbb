import type { Condition } from "./conditions.ts";

/** A series that is told of: how often it was seen to be so, when it was last told, and the event's name, once there is one. */
export type Series = { condition: Condition; count: number; began: number; toldAt?: number; name?: string };

/** By reason and key. */
export type AllSeries = ReadonlyMap<string, Series>;

/** Milliseconds between two words on the same thing, and how many words may be said in an hour in all. */
export const rate = { between: 60 * 60_000, anHour: 12 };

/**
 * One more look at what is so: which series go on, and which of them are to be told now, never more than `rate` allows: what is
 * held back is told later, if it is still so. A series ends when its condition does, and begins anew with an event of its own.
 */
export function plan(
  before: AllSeries,
  conditions: readonly Condition[],
  toldLately: readonly number[],
  now: number,
): { series: Map<string, Series>; due: Series[]; held: number } {
  const series = new Map(
    conditions.map((condition): [string, Series] => {
      const known = before.get(nameOf(condition));
      return [
        nameOf(condition),
        known ? { ...known, condition, count: known.count + 1 } : { condition, count: 1, began: now },
      ];
    }),
  );
  const wanted = [...series.values()].filter(
    ({ toldAt }) => toldAt === undefined || now - toldAt >= rate.between,
  );
  const left = Math.max(0, rate.anHour - toldLately.filter((at) => now - at < 60 * 60_000).length);
  return { series, due: wanted.slice(0, left), held: Math.max(0, wanted.length - left) };
}

export function nameOf({ reason, key }: Condition): string {
  return `${reason} ${key}`;
}
