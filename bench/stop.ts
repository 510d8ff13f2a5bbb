const stopper = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => stopper.abort(new Error("stopped")));
}

/** Aborted when somebody wants the benchmark to end: it tidies up and says so. */
export const stopped = stopper.signal;
