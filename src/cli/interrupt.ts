/** Lets what is under way end, so that what it made can be put away. `by` is the signal that came, if any. */
export type Interrupt = { readonly by: NodeJS.Signals | undefined; end(): void };

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** From now until `end`, Ctrl-C and its like don't end this process; `tell` hears of the first. */
export function watchForInterrupt(tell: (signal: NodeJS.Signals) => void): Interrupt {
  let by: NodeJS.Signals | undefined;
  const listen = (signal: NodeJS.Signals) => {
    if (by === undefined) tell(signal);
    by ??= signal;
  };
  for (const signal of signals) process.on(signal, listen);
  return {
    get by() {
      return by;
    },
    end: () => {
      for (const signal of signals) process.off(signal, listen);
    },
  };
}
