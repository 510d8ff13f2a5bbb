import { createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** A TCP port on several addresses that can be closed and opened again. */
export type Listener = {
  port: number;
  open(): Promise<void>;
  /** Ends every connection too. */
  close(): Promise<void>;
  closeConnections(): void;
};

/** Closed at first. `port` is taken on every address alike. */
export function createListener(
  addresses: string[],
  port: number,
  onConnection: (socket: Socket) => void,
): Listener {
  const sockets = new Set<Socket>();
  let servers: Server[] = [];

  function accept(socket: Socket): void {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    onConnection(socket);
  }

  function closeConnections(): void {
    for (const socket of sockets) socket.destroy();
  }

  return {
    port,
    open: async () => {
      if (servers.length > 0) return;
      servers = await Promise.all(addresses.map((address) => listen(address, port, accept)));
    },
    close: async () => {
      const closing = servers.map((server) => new Promise((resolve) => server.close(resolve)));
      servers = [];
      closeConnections();
      await Promise.all(closing);
    },
    closeConnections,
  };
}

// The port of a server that was closed a moment ago may need another moment.
async function listen(host: string, port: number, accept: (socket: Socket) => void): Promise<Server> {
  for (let attempt = 0; ; attempt++) {
    const server = createServer(accept);
    try {
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen({ host, port, exclusive: true }, resolve);
      });
      return server;
    } catch (error) {
      if (attempt === 20 || (error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
      await sleep(50);
    }
  }
}
