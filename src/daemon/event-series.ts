/** Something that people should hear of, as long as it is so. `key` says of what: one series of events each. */
export type Condition = { reason: string; key: string; note: string };

/**
 * A series that is told of: how often it was seen to be so, when it was last told (where that failed, so often in a row: a time that lets it be
 * tried again), and the event's name, once there is one.
 */
export type Series<C extends Condition = Condition> = {
  condition: C;
  count: number;
  began: number;
  toldAt?: number;
  failures?: number;
  name?: string;
};

/** By reason and key. */
export type AllSeries<C extends Condition = Condition> = ReadonlyMap<string, Series<C>>;

/** Milliseconds between two words on the same thing, and how many words may be said in an hour in all. */
export type Rate = { between: number; anHour: number };

/** An agent's: there are thousands of them. */
export const rate: Rate = { between: 60 * 60_000, anHour: 12 };

/**
 * One more look at what is so: which series go on, and which of them are to be told now, never more than `rate` allows: what is
 * held back is told later, if it is still so. A series ends when its condition does, and begins anew with an event of its own.
 */
export function plan<C extends Condition>(
  before: AllSeries<C>,
  conditions: readonly C[],
  toldLately: readonly number[],
  now: number,
  { between, anHour }: Rate = rate,
): { series: Map<string, Series<C>>; due: Series<C>[]; held: number } {
  const series = new Map(
    conditions.map((condition): [string, Series<C>] => {
      const known = before.get(nameOf(condition));
      return [
        nameOf(condition),
        known ? { ...known, condition, count: known.count + 1 } : { condition, count: 1, began: now },
      ];
    }),
  );
  const wanted = [...series.values()].filter(({ toldAt }) => toldAt === undefined || now - toldAt >= between);
  const left = Math.max(0, anHour - toldLately.filter((at) => now - at < 60 * 60_000).length);
  return { series, due: wanted.slice(0, left), held: Math.max(0, wanted.length - left) };
}

export function nameOf({ reason, key }: Condition): string {
  return `${reason} ${key}`;
}
