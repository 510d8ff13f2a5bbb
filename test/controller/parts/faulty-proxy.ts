import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Agent, request } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ApiServer } from "../../parts/api-server.ts";

/** What may happen to a request: each with its own likelihood. "killed": whoever asks gets SIGKILL. */
export type Faults = {
  killed: number;
  dropped: number;
  refused: number;
  delayed: number;
  /** Milliseconds; now and then ten times that. */
  delay: number;
};

const noFaults: Faults = { killed: 0, dropped: 0, refused: 0, delayed: 0, delay: 0 };

/** A request as it came. `body` is empty where there is none. */
export type Asked = { method: string; url: URL; accept: string; body: string };

export type FaultyProxy = {
  /** The way to it, as a file. */
  kubeconfig: string;
  set(faults: Faults): void;
  /** Whoever asks gets SIGKILL at this request, counted from 1: before the API server has heard of it, or when it has answered. */
  killAt(request: number, when: "before" | "after"): void;
  /** What was asked, in its order. */
  asked: Asked[];
  counts: Record<string, number>;
  close(): Promise<void>;
};

/**
 * Stands between one controller and the API server, as an administrator. What it took goes to the API server, however late and whether
 * or not the controller that sent it lives by then. What a watch tells comes late, too, but in its order.
 */
export async function startFaultyProxy(
  api: ApiServer,
  random: () => number,
  kill: () => void,
): Promise<FaultyProxy> {
  const { client } = await api.credentialsFor({ kind: "admin" });
  const agent = new Agent({
    keepAlive: true,
    ca: api.authority,
    cert: client?.certificate,
    key: client?.key,
  });
  let faults = noFaults;
  const asked: Asked[] = [];
  let end: { request: number; when: "before" | "after" } | undefined;
  const counts: Record<string, number> = {};
  const happens = (name: Exclude<keyof Faults, "delay">) => {
    const does = random() < faults[name];
    if (does) counts[name] = (counts[name] ?? 0) + 1;
    return does;
  };
  const someTime = () => faults.delay * random() * (random() < 0.1 ? 10 : 1);

  async function serve(message: IncomingMessage, answer: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of message) chunks.push(chunk as Buffer);
    const url = new URL(message.url ?? "/", api.url);
    const isWatch = url.search.includes("watch=true");
    const isLease = url.pathname.includes("/leases");
    const { method = "GET", headers: sent } = message;
    asked.push({ method, url, accept: sent.accept ?? "", body: Buffer.concat(chunks).toString() });
    const isLast = end?.request === asked.length;
    if (isLast && end?.when === "before") return kill();
    if (!isLease && happens("refused")) {
      answer.writeHead(random() < 0.5 ? 503 : 429, { "content-type": "application/json" });
      answer.end("{}");
      return;
    }
    if (happens("killed")) {
      kill();
      if (random() < 0.5) return; // Killed before the API server heard of it.
    }
    if (!isWatch && happens("delayed")) await sleep(someTime());
    const isDropped = !isWatch && happens("dropped");
    if (isDropped && random() < 0.3) return void answer.destroy();
    const { host: _, ...headers } = sent;
    const forwarded = request(url, { method, headers, agent }, (response) => {
      if (isLast) kill();
      if (isLast || isDropped) {
        response.resume();
        answer.destroy();
      } else void pass(response, answer, isWatch).catch(() => answer.destroy());
    });
    forwarded.on("error", () => answer.destroy());
    if (isWatch) answer.on("close", () => forwarded.destroy());
    forwarded.end(Buffer.concat(chunks));
  }

  async function pass(response: IncomingMessage, answer: ServerResponse, isWatch: boolean): Promise<void> {
    answer.writeHead(response.statusCode ?? 500, response.headers);
    if (isWatch) answer.flushHeaders();
    for await (const chunk of response) {
      if (isWatch && happens("delayed")) await sleep(someTime());
      answer.write(chunk);
    }
    if (!isWatch && happens("delayed")) await sleep(someTime());
    answer.end();
  }

  const server = createServer((message, answer) => void serve(message, answer).catch(() => answer.destroy()));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const kubeconfig = writeKubeconfig(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return {
    kubeconfig,
    set: (next) => {
      faults = next;
    },
    killAt: (request, when) => {
      end = { request, when };
    },
    asked,
    counts,
    close: async () => {
      rmSync(dirname(kubeconfig), { recursive: true });
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      agent.destroy();
    },
  };
}

function writeKubeconfig(server: string): string {
  const path = join(mkdtempSync(join(tmpdir(), "kncf-")), "kubeconfig");
  const document = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "proxy", cluster: { server } }],
    users: [{ name: "nobody", user: {} }],
    contexts: [{ name: "proxy", context: { cluster: "proxy", user: "nobody" } }],
    "current-context": "proxy",
  };
  writeFileSync(path, JSON.stringify(document));
  return path;
}
