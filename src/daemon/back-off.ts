import { setTimeout as pause } from "node:timers/promises";

/** Pauses that grow from failure to failure, with jitter, so that a thousand nodes don't come back at one time. */
export type BackOff = {
  /** Resolves early where the signal is aborted. */
  wait(signal: AbortSignal): Promise<void>;
  reset(): void;
};

/** Milliseconds. */
export function makeBackOff(first: number, longest: number): BackOff {
  let failures = 0;
  return {
    wait: async (signal) => {
      const growing = Math.min(longest, first * 2 ** Math.min(failures++, 30)) * (0.5 + Math.random() / 2);
      await pause(growing, undefined, { signal }).catch(() => {});
    },
    reset: () => {
      failures = 0;
    },
  };
}
