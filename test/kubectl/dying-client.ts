import type { Client } from "../../src/kube/client.ts";

/** Lets as many writes through as are left, and none more. */
export function dyingClient(client: Client, state: { left: number }): Client {
  const write = <T>(act: () => Promise<T>): Promise<T> =>
    state.left-- > 0 ? act() : Promise.reject(new Error("killed"));
  return {
    ...client,
    create: (path, body) => write(() => client.create(path, body)),
    replace: (path, body) => write(() => client.replace(path, body)),
    patch: (path, body, type) => write(() => client.patch(path, body, type)),
    remove: (path, body) => write(() => client.remove(path, body)),
  };
}
