/**
 * Work that several want at a time is done once for all who asked before it began: what begins after the question is as fresh as
 * one's own. Never more than one at a time.
 */
export function shareFresh<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<unknown> = Promise.resolve();
  let waiting: Promise<T> | undefined;
  return () => {
    waiting ??= running
      .catch(() => {})
      .then(() => {
        waiting = undefined;
        const begun = work();
        running = begun;
        return begun;
      });
    return waiting;
  };
}
