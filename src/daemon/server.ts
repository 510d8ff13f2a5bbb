import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { isErrno } from "../host/files.ts";
import type { Log } from "../host/log.ts";
import { makeBackOff } from "./back-off.ts";
import type { Address } from "./flags.ts";
import type { Health, Part } from "./part.ts";

/** What a path answers. */
export type Route = () => Promise<RouteAnswer>;
export type RouteAnswer = { status: number; type: string; body: string };

/** Where to listen, and what to answer there, by path; parts add theirs. */
export type Served = {
  addresses: readonly Address[];
  routes: Map<string, Route>;
  log: Log;
  signal: AbortSignal;
};

/**
 * /healthz: the loops live, else restart it. /readyz: it does what it is for. Both say a line a part. Other paths are the
 * given routes. Parts that are started later count from then on. An address that is taken is tried again.
 */
export async function startServer(served: Served, parts: readonly Part[]): Promise<Part> {
  const { addresses, routes } = served;
  routes.set("/healthz", async () => answerHealth(parts, ({ live }) => live));
  routes.set("/readyz", async () => answerHealth(parts, ({ ready }) => ready));
  const doors = addresses.map((address) => openDoor(served, address));
  return {
    name: "server",
    stop: async () => void (await Promise.all(doors.map((door) => door.close()))),
    health: () => {
      const fault = doors.map((door) => door.fault()).find((words) => words !== "");
      return { live: true, ready: fault === undefined, words: fault ?? "answers" };
    },
  };
}

/** One address, however long it takes to get it. */
function openDoor({ log, routes, signal }: Served, { host, port }: Address) {
  const backOff = makeBackOff(1000, 30_000);
  const ending = new AbortController();
  const either = AbortSignal.any([signal, ending.signal]);
  let fault = `${host}:${port} is not listened on yet`;
  let server: Server | undefined;
  const opened = (async () => {
    while (!either.aborted && !server) {
      try {
        server = await listen(host, port, routes);
        fault = "";
        log.info("serving health and metrics", {
          address: host,
          port: (server.address() as AddressInfo).port,
        });
      } catch (error) {
        const words = explain(error as Error, host, port);
        if (words !== fault) log.warn("health and metrics can't be served", { reason: words });
        fault = words;
        await backOff.wait(either);
      }
    }
  })();
  return {
    fault: () => fault,
    close: async () => {
      ending.abort();
      await opened;
      if (server) await close(server);
    },
  };
}

async function answerHealth(parts: readonly Part[], isGood: (health: Health) => boolean) {
  const lines = parts.map((part) => {
    const health = part.health();
    return { good: isGood(health), text: `[${isGood(health) ? "+" : "-"}] ${part.name}: ${health.words}` };
  });
  const good = lines.every((line) => line.good);
  const body = lines.map(({ text }) => `${text}\n`).join("");
  return { status: good ? 200 : 503, type: "text/plain; charset=utf-8", body };
}

function listen(host: string, port: number, routes: ReadonlyMap<string, Route>): Promise<Server> {
  const server = createServer((request, response) => {
    void answer(routes, request.url ?? "/", request.method ?? "GET").then(({ status, type, body }) => {
      response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(body) });
      response.end(request.method === "HEAD" ? undefined : body);
    });
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => resolve(server));
  });
}

async function answer(routes: ReadonlyMap<string, Route>, url: string, method: string): Promise<RouteAnswer> {
  const type = "text/plain; charset=utf-8";
  if (method !== "GET" && method !== "HEAD") return { status: 405, type, body: "only GET is known here\n" };
  const route = routes.get(url.split("?")[0] ?? "");
  if (!route) return { status: 404, type, body: `known paths: ${[...routes.keys()].sort().join(" ")}\n` };
  try {
    return await route();
  } catch (error) {
    return { status: 500, type, body: `${(error as Error).message}\n` };
  }
}

function explain(error: Error, host: string, port: number): string {
  if (isErrno(error, "EADDRINUSE")) return `${host}:${port} is taken: is another one running here?`;
  return `${host}:${port} can't be listened on: ${error.message}`;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
