import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { uptime } from "../host/machine.ts";
import type { HttpAnswer } from "../host/runtime.ts";
import { ApiError, errorOf, errorOfFailure } from "./api-error.ts";
import type { Connection } from "./connection.ts";
import { outage } from "./outage.ts";

/** Milliseconds: how often the server is pinged, and how long it may take to answer that, or to take a connection. */
export type Beat = { everyMs: number; patienceMs: number };

/** One HTTP/2 connection to the API server that is known to live. `ended` resolves with the reason, whoever ended it. */
export type LiveSession = {
  /** An answer of status 200 whose body is still to be read; anything else throws an ApiError. */
  open(path: string, signal: AbortSignal): Promise<HttpAnswer>;
  /** Resolves with the uptime (seconds) at which it was asked once the server has answered; rejects never, but may never resolve. */
  ping(): Promise<number>;
  ended: Promise<Error>;
  close(): void;
};

/**
 * Over a connection without a word TCP tells nothing for many minutes; an answered PING tells that the server could be heard when
 * it was asked. A server without HTTP/2, or none that answers pings, is an ApiError.
 */
export async function openLiveSession(
  connection: Connection,
  beat: Beat,
  onHeard: (sentAt: number) => void,
): Promise<LiveSession> {
  const session = await connect(connection, beat.patienceMs);
  const { promise: ended, resolve: end } = Promise.withResolvers<Error>();
  const finish = (reason: string) => {
    end(new ApiError(outage(connection, reason)));
    session.destroy();
  };
  session.on("error", (error) => void errorOfFailure(connection, error, undefined).then(end));
  session.on("goaway", () => finish("ends its connections: it is stopping, or sheds load"));
  session.on("close", () => finish("closed the connection"));

  let unanswered: number | undefined;
  async function ping(): Promise<number> {
    const sentAt = uptime();
    const answered = Promise.withResolvers<void>();
    session.ping((error) => {
      if (!error) answered.resolve();
    });
    await answered.promise;
    return sentAt;
  }
  const timer = setInterval(() => {
    if (session.destroyed) return;
    const now = uptime();
    if (unanswered !== undefined && (now - unanswered) * 1000 > beat.patienceMs)
      return finish(`has not been heard for ${Math.round(now - unanswered)} s`);
    unanswered ??= now;
    void ping().then((sentAt) => {
      unanswered = undefined;
      onHeard(sentAt);
    });
  }, beat.everyMs);
  void ended.then(() => clearInterval(timer));

  return {
    open: async (path, signal) => {
      if (session.destroyed || session.closed) throw await ended;
      return await open(connection, session, path, signal, beat.patienceMs);
    },
    ping,
    ended,
    close: () => finish("was left"),
  };
}

async function connect(connection: Connection, patienceMs: number): Promise<ClientHttp2Session> {
  const [{ connect: begin }, socket] = await Promise.all([
    import("node:http2"),
    connection.proxy === undefined ? undefined : tunnel(connection, patienceMs),
  ]);
  const session = begin(connection.server, {
    ...tlsOptions(connection),
    ...(socket && { createConnection: () => socket }),
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => reject(Object.assign(new Error(), { code: "ETIMEDOUT" })), patienceMs);
  session.once("connect", () => resolve());
  session.once("error", reject);
  session.once("close", () => reject(Object.assign(new Error(), { code: "ECONNRESET" })));
  try {
    await promise;
  } catch (error) {
    session.on("error", () => {});
    session.destroy();
    if (isNoHttp2(error))
      throw new ApiError(
        outage(connection, "speaks no HTTP/2, so that its silence can't be told from its death"),
      );
    throw await errorOfFailure(connection, error, undefined);
  } finally {
    clearTimeout(timer);
  }
  return session;
}

function isNoHttp2(error: unknown): boolean {
  const { code = "", message = "" } = (error ?? {}) as { code?: string; message?: string };
  return (
    code.startsWith("ERR_HTTP2") ||
    /alpn|no[ _]application[ _]protocol|h2 is not supported/i.test(`${code} ${message}`)
  );
}

function tlsOptions({ ca, cert, key, serverName, insecure }: Connection) {
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(serverName !== undefined && { servername: serverName }),
    rejectUnauthorized: !insecure,
  };
}

/** A TLS connection through an HTTP proxy's CONNECT. */
async function tunnel(connection: Connection, patienceMs: number): Promise<Socket> {
  const { openTunnel } = await import("./tunnel.ts");
  try {
    return await openTunnel(connection, { ...tlsOptions(connection), ALPNProtocols: ["h2"] }, patienceMs);
  } catch (error) {
    throw await errorOfFailure(connection, error, undefined);
  }
}

async function open(
  connection: Connection,
  session: ClientHttp2Session,
  path: string,
  signal: AbortSignal,
  patienceMs: number,
): Promise<HttpAnswer> {
  const prefix = new URL(connection.server).pathname.replace(/\/$/, "");
  const stream = session.request({
    ":path": prefix + path,
    accept: "application/json",
    "user-agent": "kube-node-agent",
    ...(connection.token !== undefined && { authorization: `Bearer ${connection.token}` }),
  });
  const stop = () => stream.destroy();
  signal.addEventListener("abort", stop, { once: true });
  stream.once("close", () => signal.removeEventListener("abort", stop));
  try {
    const headers = await headersOf(stream, patienceMs);
    const answer: HttpAnswer = {
      status: Number(headers[":status"]),
      header: (name) => headers[name.toLowerCase()]?.toString(),
      body: stream,
    };
    if (answer.status === 200) return answer;
    throw await errorOf(connection, answer, await textOf(stream));
  } catch (error) {
    signal.throwIfAborted();
    stop();
    throw error instanceof ApiError ? error : await errorOfFailure(connection, error, undefined);
  }
}

function headersOf(stream: ClientHttp2Stream, patienceMs: number): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(Object.assign(new Error(), { code: "ETIMEDOUT" })), patienceMs);
    const settle = (act: () => void) => {
      clearTimeout(timer);
      act();
    };
    stream.once("response", (headers) => settle(() => resolve(headers)));
    stream.once("error", (error) => settle(() => reject(error)));
    stream.once("close", () => settle(() => reject(Object.assign(new Error(), { code: "ECONNRESET" }))));
  });
}

async function textOf(stream: ClientHttp2Stream): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks).toString("utf8");
}
