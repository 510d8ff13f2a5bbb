/** Everything, where SOAK=1 (`npm run test:soak`); else what fits into a few minutes. */
export const soak = process.env["SOAK"] === "1";

/** Another one each day; FAULTS_SEED=N repeats a run. Stands in the names of the tests that it decides about. */
export const seed = Number(process.env["FAULTS_SEED"] ?? Math.floor(Date.now() / 86_400_000));

export const sampled = soak ? "all of them" : `a sample, FAULTS_SEED=${seed}`;

/** All of them in a soak, else every `step`-th, beginning with another one each day. */
export function sample<T>(all: T[], step: number): T[] {
  return soak ? all : all.filter((_, index) => index % step === seed % step);
}

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
export function makeRandom(start = seed): () => number {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Does the same work `count` times, `width` at a time. */
export async function repeat(count: number, width: number, work: () => Promise<void>): Promise<void> {
  let left = count;
  const worker = async () => {
    while (left-- > 0) await work();
  };
  await Promise.all(Array.from({ length: width }, worker));
}
