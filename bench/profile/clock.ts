// Stands in every profiled module: notes when stages began and ended, and writes them to $KUBE_NODE_PROFILE at the end.
import { appendFileSync } from "node:fs";

type Span = [stage: string, begin: number, end: number];

/** Milliseconds since 1970, as the runner measures. */
const now = (): number => performance.timeOrigin + performance.now();

const spans: Span[] = [];
const loaded = now();

process.on("exit", () => {
  const end = now();
  const file = process.env["KUBE_NODE_PROFILE"];
  if (file) appendFileSync(file, `${JSON.stringify({ loaded, spans, end })}\n`);
});

/** The same function, which notes how long each call of it took; of an asynchronous one, until it is settled. */
export function timed<A extends unknown[], R>(stage: string, work: (...args: A) => R): (...args: A) => R {
  return (...args) => {
    const begin = now();
    const note = () => void spans.push([stage, begin, now()]);
    let result: R;
    try {
      result = work(...args);
    } catch (error) {
      note();
      throw error;
    }
    if (result instanceof Promise) result.then(note, note);
    else note();
    return result;
  };
}
