import { connect, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** What stands between client and server. */
export type Relay = {
  port: number;
  /** Takes and keeps connections, but no byte passes any more, in either direction; nor is anything closed. */
  swallow(): void;
  /** New connections pass again; what was swallowed stays so. */
  pass(): void;
  /** Connections taken so far. */
  connections(): number;
};

/** A TCP relay to a port of this machine, until the test ends. */
export async function startRelay(target: number, address = "127.0.0.1"): Promise<Relay> {
  const all = new Set<Socket>();
  let swallowing = false;
  let count = 0;
  const server = createServer((front) => {
    count++;
    const back = connect(target, "127.0.0.1");
    for (const [from, to] of [
      [front, back],
      [back, front],
    ] as const) {
      all.add(from);
      from.on("error", () => {});
      from.on("close", () => {
        all.delete(from);
        to.destroy();
      });
    }
    if (swallowing) return;
    front.pipe(back);
    back.pipe(front);
  });
  await new Promise<void>((resolve) => server.listen(0, address, () => resolve()));
  onTestFinished(() => {
    for (const socket of all) socket.destroy();
    server.close();
  });
  return {
    port: (server.address() as { port: number }).port,
    swallow: () => {
      swallowing = true;
      for (const socket of all) socket.unpipe().pause();
    },
    pass: () => {
      swallowing = false;
    },
    connections: () => count,
  };
}
