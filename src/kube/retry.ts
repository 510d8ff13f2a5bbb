import { setTimeout as pause } from "node:timers/promises";
import { ApiError } from "./api-error.ts";

const attempts = 7;
const shortestPause = 100;
const longestPause = 10_000;
const passing = [429, 500, 502, 503, 504];

/** Asks again where waiting may help: at once after a broken connection, else after what the server says or a growing pause. */
export async function retry<T>(
  ask: () => Promise<T>,
  isRepeatable: boolean,
  signal?: AbortSignal,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask();
    } catch (error) {
      if (attempt === attempts || !mayPass(error, isRepeatable, attempt)) throw error;
      await pause(pauseAfter(error as ApiError, attempt), undefined, { ...(signal && { signal }) });
    }
  }
}

/** What isn't repeatable (a POST) is asked again only where the server says that it did nothing. */
function mayPass(error: unknown, isRepeatable: boolean, attempt: number): boolean {
  if (!(error instanceof ApiError)) return false;
  if (error.status === undefined) return isRepeatable && attempt === 1 && isBroken(error.cause);
  return error.status === 429 || (isRepeatable && passing.includes(error.status));
}

/** A connection that was kept open, but closed by the server meanwhile. */
function isBroken(cause: unknown): boolean {
  const code = (cause as { code?: unknown } | undefined)?.code;
  return ["ECONNRESET", "EPIPE", "UND_ERR_SOCKET", "ConnectionClosed"].includes(String(code));
}

/** Jitter keeps many clients from coming back at one time. */
function pauseAfter({ retryAfterMs }: ApiError, attempt: number): number {
  const growing = Math.min(longestPause, shortestPause * 2 ** attempt);
  const jitter = 0.5 + Math.random();
  return Math.min(longestPause, retryAfterMs ?? 0) + growing * jitter;
}
