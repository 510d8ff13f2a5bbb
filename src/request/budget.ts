/** What a whole call may take, in seconds, where the configuration doesn't say: the original's. */
export const defaultTimeout = 15;

/** Seconds after which a call is surely over, however long its timeout was. */
export const longestCall = 240;

/** One budget for the whole call; points in time are milliseconds of the machine's clock, durations seconds. */
export type Budget = {
  timeout: number;
  /** When the delegate is asked to end, and when it is over in any case: what lies between is for it to tidy up. */
  time: { deadline: number; end: number };
  /** What asking the API server may take: where nothing else is known, and where last-known ranges can stand in. */
  patience: { long: number; short: number };
};

/** The delegate needs milliseconds, but its lock may be held by many others: what the API server leaves is its. */
export function openBudget(timeout = defaultTimeout, start = Date.now()): Budget {
  const toTidyUp = Math.min(2.8, timeout * 0.4);
  const working = timeout - toTidyUp;
  return {
    timeout,
    time: { deadline: start + working * 1000, end: start + timeout * 1000 },
    patience: { long: working * 0.75, short: Math.min(3, working * 0.25) },
  };
}
