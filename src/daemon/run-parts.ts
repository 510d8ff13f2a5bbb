import type { Log } from "../host/log.ts";
import { version } from "../host/version.ts";
import type { Part } from "./part.ts";

/** `signal` is aborted when the program is to end, before its parts are stopped; `fail` ends it with exit code 1. */
export type Life = { signal: AbortSignal; fail(reason: string): void };

/**
 * Runs a program's parts until SIGTERM or SIGINT: 0. 1: a part failed, or did not end as it should. `startAll` pushes each part as
 * it starts; they end the other way round.
 */
export async function runParts(
  log: Log,
  startAll: (life: Life, running: Part[]) => Promise<void>,
): Promise<number> {
  const ending = new AbortController();
  const end = (reason: string) => ending.abort(reason);
  let failed = false;
  const fail = (reason: string) => {
    if (!ending.signal.aborted) log.error("this program gives up", { reason });
    failed = true;
    end(reason);
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => end(signal));
  log.info("starting", { version });
  const running: Part[] = [];
  try {
    await startAll({ signal: ending.signal, fail }, running);
    await untilAborted(ending.signal);
    log.info("ending", { reason: String(ending.signal.reason) });
  } catch (error) {
    fail((error as Error).message);
  }
  const isGood = await stopAll(running, log);
  return isGood && !failed ? 0 : 1;
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

async function stopAll(running: readonly Part[], log: Log): Promise<boolean> {
  let good = true;
  for (const part of running.toReversed()) {
    try {
      await part.stop();
    } catch (error) {
      good = false;
      log.error("a part did not end as it should", { part: part.name, reason: (error as Error).message });
    }
  }
  return good;
}
