import { type HttpAnswer, openSession, send } from "../host/runtime.ts";
import { ApiError, errorOf, errorOfFailure } from "./api-error.ts";
import type { Connection } from "./connection.ts";
import { outage } from "./outage.ts";
import type { Impersonation } from "./overrides.ts";
import { type ListOptions, listPages } from "./pages.ts";
import { retry } from "./retry.ts";
import { explainStream } from "./stream.ts";

/** How a patch is to be understood. */
export const patchType = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  apply: "application/apply-patch+yaml",
} as const;

/**
 * `requestTimeoutMs` bounds each single request, its answer included; `signal` ends everything. `metadataOnly`: answers hold objects'
 * metadata and nothing else, whatever is asked for.
 */
export type ClientOptions = {
  metadataOnly?: boolean;
  impersonation?: Impersonation;
  requestTimeoutMs?: number;
  userAgent?: string;
  signal?: AbortSignal;
};

type Call = { method: string; path: string; body?: unknown; type?: string; isList?: true };

/**
 * The Kubernetes API for programs that aren't called for every pod. Paths begin with a slash; answers are plain JSON, T is what the
 * caller knows of it. Everything throws an ApiError; what may pass (429, 5xx, a broken connection) has been tried again by then.
 */
export type Client = {
  readonly connection: Connection;
  get<T>(path: string): Promise<T>;
  create<T>(path: string, body: unknown): Promise<T>;
  replace<T>(path: string, body: unknown): Promise<T>;
  patch<T>(path: string, body: unknown, type: keyof typeof patchType): Promise<T>;
  remove(path: string, body?: unknown): Promise<void>;
  /** All items of a list, page by page; only what `pick` makes of an item is kept. */
  list<T>(path: string, pick: (item: unknown) => T | undefined, options?: ListOptions): Promise<T[]>;
  /** One answer whose body is still to be read, for watches and logs; not tried again. */
  open(path: string, signal: AbortSignal): Promise<HttpAnswer>;
  close(): void;
};

export async function createClient(connection: Connection, options: ClientOptions = {}): Promise<Client> {
  const session = await openSession(connection);
  const headers = headersFor(connection, options);

  function start({ method, path, body, type, isList }: Call, signal: AbortSignal): Promise<HttpAnswer> {
    return send({
      ...connection,
      url: connection.server + path,
      method,
      headers: {
        ...headers,
        accept: options.metadataOnly
          ? metadataOf(isList ? "PartialObjectMetadataList" : "PartialObjectMetadata")
          : plain,
        ...(body !== undefined && { "content-type": type ?? "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal,
      session,
    });
  }

  async function askOnce(call: Call): Promise<unknown> {
    const limit = limitTime(options);
    const progress: Progress = {};
    try {
      const answer = await start(call, limit.signal);
      progress.status = answer.status;
      return await read(connection, answer);
    } catch (error) {
      if (error instanceof ApiError) throw error;
      options.signal?.throwIfAborted();
      if (limit.isOver()) throw tooLate(connection, options, progress);
      throw await errorOfFailure(connection, error, progress.status);
    } finally {
      limit.end();
    }
  }

  const ask = <T>(call: Call) =>
    retry(() => askOnce(call), call.method !== "POST", options.signal) as Promise<T>;

  return {
    connection,
    get: (path) => ask({ method: "GET", path }),
    create: (path, body) => ask({ method: "POST", path, body }),
    replace: (path, body) => ask({ method: "PUT", path, body }),
    patch: (path, body, type) => ask({ method: "PATCH", path, body, type: patchType[type] }),
    remove: async (path, body) => void (await ask({ method: "DELETE", path, body })),
    list: (path, pick, how) =>
      listPages((page) => ask({ method: "GET", path: page, isList: true }), path, pick, how),
    open: async (path, signal) => {
      const begun = await start({ method: "GET", path }, signal).catch(async (error) => {
        signal.throwIfAborted();
        throw await errorOfFailure(connection, error, undefined);
      });
      const answer = explainStream(connection, begun, signal);
      if (answer.status === 200) return answer;
      throw await errorOf(connection, answer, await textOf(answer));
    },
    close: session.close,
  };
}

const plain = "application/json";

function metadataOf(kind: string): string {
  return `${plain};as=${kind};g=meta.k8s.io;v=v1`;
}

type Progress = { status?: number };

const usualTimeout = 60_000;

function limitTime({ requestTimeoutMs = usualTimeout, signal }: ClientOptions) {
  const abort = new AbortController();
  let over = false;
  const timer = setTimeout(() => {
    over = true;
    abort.abort();
  }, requestTimeoutMs);
  const stop = () => abort.abort();
  signal?.addEventListener("abort", stop);
  return {
    signal: signal?.aborted ? signal : abort.signal,
    isOver: () => over,
    end: () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
      abort.abort();
    },
  };
}

function tooLate(connection: Connection, options: ClientOptions, { status }: Progress): ApiError {
  const seconds = (options.requestTimeoutMs ?? usualTimeout) / 1000;
  const what =
    status === undefined ? "did not answer" : `began to answer (${status}), but did not come to an end`;
  return new ApiError(outage(connection, `${what} within ${seconds} s: give it more by --request-timeout`));
}

function headersFor(
  { token }: Connection,
  { impersonation, userAgent = "kubectl-kube_node" }: ClientOptions,
): Record<string, string> {
  return {
    "accept-encoding": "identity",
    "user-agent": userAgent,
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(impersonation && { "impersonate-user": impersonation.user }),
    ...(impersonation?.uid !== undefined && { "impersonate-uid": impersonation.uid }),
    ...(impersonation?.group !== undefined && { "impersonate-group": impersonation.group }),
  };
}

async function read(connection: Connection, answer: HttpAnswer): Promise<unknown> {
  const text = await textOf(answer);
  if (answer.status >= 200 && answer.status < 300) {
    try {
      return JSON.parse(text);
    } catch {
      // Not JSON: said below, with what it was.
    }
  }
  throw await errorOf(connection, answer, text);
}

async function textOf(answer: HttpAnswer): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of answer.body) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
