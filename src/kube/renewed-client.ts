import { type Client, type ClientOptions, createClient } from "./client.ts";
import type { Connection } from "./connection.ts";

/** Milliseconds. Tokens are renewed on disk minutes before they end. */
const renewEvery = 60_000;
/** Longer than any watch lives. */
const lingers = 400_000;

/** A client for a program that runs for months: credentials and authorities are read anew every minute, since both are rotated. */
export async function createRenewedClient(
  connect: () => Promise<Connection>,
  options: ClientOptions,
): Promise<Client> {
  const open = async () => createClient(await connect(), options);
  let current = await open();
  let openedAt = performance.now();
  let renewal: Promise<void> | undefined;

  /** What can't be read now is tried again by the next request; the old credentials serve until then. */
  async function renew(): Promise<void> {
    const old = current;
    try {
      current = await open();
      openedAt = performance.now();
      setTimeout(() => old.close(), lingers).unref();
    } catch {
      // It is being replaced, or gone for good: then the server's 401 says so.
    }
    renewal = undefined;
  }

  async function now(): Promise<Client> {
    if (performance.now() - openedAt > renewEvery) {
      renewal ??= renew();
      await renewal;
    }
    return current;
  }

  return {
    connection: current.connection,
    get: async (path) => (await now()).get(path),
    create: async (path, body) => (await now()).create(path, body),
    replace: async (path, body) => (await now()).replace(path, body),
    patch: async (path, body, type) => (await now()).patch(path, body, type),
    remove: async (path, body) => (await now()).remove(path, body),
    list: async (path, pick, how) => (await now()).list(path, pick, how),
    open: async (path, signal) => (await now()).open(path, signal),
    close: () => current.close(),
  };
}
