import { createServer, type Server } from "node:http";
import { isErrno } from "../host/files.ts";
import type { Address } from "./config.ts";
import type { AgentContext, Health, Part } from "./context.ts";

/** What a path answers. */
export type Route = () => Promise<RouteAnswer>;
export type RouteAnswer = { status: number; type: string; body: string };

/**
 * /healthz: the loops live, else restart it. /readyz: it does what it is for. Both say a line a part. Other paths are the
 * context's routes. Parts that are started later count from then on.
 */
export async function startServer(context: AgentContext, parts: readonly Part[]): Promise<Part> {
  const { config, log, routes } = context;
  routes.set("/healthz", async () => answerHealth(parts, ({ live }) => live));
  routes.set("/readyz", async () => answerHealth(parts, ({ ready }) => ready));
  const addresses = [config.metricsAddress, ...(config.healthAddress ? [config.healthAddress] : [])];
  const servers = await Promise.all(addresses.map((address) => listen(address, routes)));
  log.info("serving health and metrics", { addresses: addresses.map(({ host, port }) => `${host}:${port}`) });
  return {
    name: "server",
    stop: async () => void (await Promise.all(servers.map(close))),
    health: () => ({ live: true, ready: true, words: "answers" }),
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

function listen({ host, port }: Address, routes: ReadonlyMap<string, Route>): Promise<Server> {
  const server = createServer((request, response) => {
    void answer(routes, request.url ?? "/", request.method ?? "GET").then(({ status, type, body }) => {
      response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(body) });
      response.end(request.method === "HEAD" ? undefined : body);
    });
  });
  return new Promise((resolve, reject) => {
    server.once("error", (error) => reject(explain(error, host, port)));
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

function explain(error: Error, host: string, port: number): Error {
  const what = `--metrics-address or --health-address ${host}:${port}`;
  if (isErrno(error, "EADDRINUSE")) return new Error(`${what} is taken: is another agent on this node?`);
  return new Error(`${what} can't be listened on: ${error.message}`);
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
