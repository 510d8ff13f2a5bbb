import { setTimeout as pause } from "node:timers/promises";
import type { Client } from "../kube/client.ts";

/** Resolves when one more may begin: so many a second, and twice as many at once after a quiet time. */
export function makeRateLimit(perSecond: number, signal: AbortSignal): () => Promise<void> {
  const most = perSecond * 2;
  let tokens = most;
  let filledAt = performance.now();
  return async () => {
    const now = performance.now();
    tokens = Math.min(most, tokens + ((now - filledAt) / 1000) * perSecond) - 1;
    filledAt = now;
    if (tokens < 0) await pause((-tokens / perSecond) * 1000, undefined, { signal });
  };
}

/** The same client, no faster than that. Watches don't count: there are few. */
export function limitRate(client: Client, mayBegin: () => Promise<void>): Client {
  return {
    ...client,
    get: (path) => mayBegin().then(() => client.get(path)),
    create: (path, body) => mayBegin().then(() => client.create(path, body)),
    replace: (path, body) => mayBegin().then(() => client.replace(path, body)),
    patch: (path, body, type) => mayBegin().then(() => client.patch(path, body, type)),
    remove: (path, body) => mayBegin().then(() => client.remove(path, body)),
  };
}
