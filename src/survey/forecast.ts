import type { Usage } from "./usage.ts";

const window = 24 * 3_600_000;
const parts = 3;

/**
 * When a set will be full (ms since 1970) if it goes on as in the last day; undefined where that can't be told. Only living pods are
 * known, so what ended isn't: a rollout looks like growth. Therefore pods must have come in each third of the day, and the quietest
 * third counts.
 */
export function forecastFull({ size, pods }: Pick<Usage, "size" | "pods">, now: number): number | undefined {
  const free = Number(size) - pods.length;
  const counts = new Array<number>(parts).fill(0);
  for (const { since } of pods) {
    const third = Math.floor(((now - Date.parse(since)) / window) * parts);
    if (third >= 0 && third < parts) counts[third] = (counts[third] as number) + 1;
  }
  const quietest = Math.min(...counts);
  if (quietest === 0) return undefined;
  return now + (Math.max(0, free) / (quietest * parts)) * window;
}
