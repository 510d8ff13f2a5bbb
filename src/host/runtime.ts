// The few things that Bun does faster or differently, each with its Node twin: nothing else may name Bun.

import type { Dispatcher } from "undici";

type BunGlobal = {
  YAML: { parse(text: string): unknown };
  gc(force: boolean): void;
};

const bun = (globalThis as { Bun?: BunGlobal }).Bun;

/** YAML (and so JSON) text to plain values. Throws where it is malformed, with words that may hold some of the text. */
export async function parseYaml(text: string): Promise<unknown> {
  if (bun) return bun.YAML.parse(text);
  const { parse } = await import("yaml");
  return parse(text, { merge: true, uniqueKeys: false, logLevel: "error" });
}

/** Gives back what nobody needs any more: Bun lets texts of many megabytes pile up. Node looks after it by itself. */
export function collectGarbage(): void {
  bun?.gc(true);
}

const yamlFaults: Record<string, string> = {
  BAD_INDENT: "the indentation is wrong, or a bracket before is not closed",
  TAB_AS_INDENT: "tabs can't indent, only blanks can",
  BLOCK_AS_IMPLICIT_KEY: "there is a second key or list where only a value can stand",
  MULTILINE_IMPLICIT_KEY: "a colon is missing after a key, or a quote after a value",
  MISSING_CHAR: "a quote, a bracket, a colon or a blank is missing",
  BAD_SCALAR_START: "the value begins with a character that only a value in quotes can begin with",
  UNEXPECTED_TOKEN: "this can't stand here",
};

/** Where YAML stops making sense, as Bun doesn't say: "line 3, column 7: …" in words that hold nothing of the text. */
export async function findYamlFault(text: string): Promise<string | undefined> {
  const { LineCounter, parseAllDocuments } = await import("yaml");
  const lines = new LineCounter();
  const at = (offset: number, words: string) => {
    const { line, col } = lines.linePos(offset);
    return `line ${line}, column ${col}: ${words}`;
  };
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  const error = documents.flatMap((document) => document.errors)[0];
  if (error) return at(error.pos[0], yamlFaults[error.code] ?? "it is malformed");
  const second = documents[1];
  if (second) return at(second.range[0], "a second document begins, but there must be one only");
  const nul = text.indexOf("\0");
  return nul === -1 ? undefined : at(nul, "a NUL character");
}

/** Where a request goes: `ca`, `cert` and `key` are PEM texts. No `proxy`: none, whatever the environment says. */
export type HttpPeer = {
  ca?: string;
  cert?: string;
  key?: string;
  serverName?: string;
  insecure: boolean;
  proxy?: string;
};

/** An HTTP request, a GET unless `method` says otherwise. */
export type HttpRequest = HttpPeer & {
  url: string;
  method?: string;
  headers: Record<string, string>;
  body?: string;
  /** Ends everything, the body included. To be aborted in any case: under Node the connection stays open until then. */
  signal: AbortSignal;
  /** For many requests to one peer. Bun keeps connections open by itself. */
  session?: HttpSession;
};

/** Connections that outlive their requests; `close` ends them all. */
export type HttpSession = { dispatcher?: Dispatcher; close(): void };

/** An answer whose body is still to come. Redirects are answers. */
export type HttpAnswer = {
  status: number;
  header(name: string): string | undefined;
  body: AsyncIterable<Uint8Array>;
};

/** One request. Errors are the runtime's; their codes and those of their causes tell them apart. */
export function send(request: HttpRequest): Promise<HttpAnswer> {
  return bun ? sendByFetch(request) : sendByUndici(request);
}

/** Under Node connections are kept open only in a session. */
export async function openSession(peer: HttpPeer): Promise<HttpSession> {
  if (bun) return { close: () => {} };
  const dispatcher = await makeDispatcher(peer);
  return { dispatcher, close: () => void dispatcher.destroy().catch(() => {}) };
}

async function sendByFetch(request: HttpRequest): Promise<HttpAnswer> {
  const { url, method, headers, body, ca, cert, key, serverName, insecure, proxy, signal } = request;
  const tls = { ca, cert, key, serverName, rejectUnauthorized: !insecure };
  const options = {
    ...(method !== undefined && { method }),
    ...(body !== undefined && { body }),
    headers,
    tls,
    signal,
    redirect: "manual" as const,
    // Or else $BUN_CONFIG_VERBOSE_FETCH has it print the token.
    verbose: false,
    ...(proxy !== undefined && { proxy }),
  };
  const answer = await withoutProxyVariables(() => fetch(url, options));
  return {
    status: answer.status,
    header: (name) => answer.headers.get(name) ?? undefined,
    body: answer.body ?? noBody(),
  };
}

const proxyVariables = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"].flatMap((name) => [
  name,
  name.toLowerCase(),
]);

/** Bun looks at them when fetch is called, and lets $NO_PROXY overrule the proxy that it is told. */
function withoutProxyVariables<T>(call: () => T): T {
  const hidden = proxyVariables
    .filter((name) => process.env[name] !== undefined)
    .map((name) => [name, process.env[name]] as const);
  for (const [name] of hidden) delete process.env[name];
  try {
    return call();
  } finally {
    for (const [name, value] of hidden) process.env[name] = value;
  }
}

async function sendByUndici(request: HttpRequest): Promise<HttpAnswer> {
  const { url, method = "GET", headers, body, signal, session } = request;
  const dispatcher = session?.dispatcher ?? (await makeDispatcher(request));
  if (!session) signal.addEventListener("abort", () => void dispatcher.destroy().catch(() => {}));
  const { request: call } = await import("undici");
  const options = { method: method as Dispatcher.HttpMethod, headers, dispatcher, signal };
  const answer = await call(url, { ...options, ...(body !== undefined && { body }) });
  return {
    status: answer.statusCode,
    header: (name) => {
      const value = answer.headers[name.toLowerCase()];
      return Array.isArray(value) ? value.join(", ") : value;
    },
    body: answer.body,
  };
}

async function makeDispatcher(peer: HttpPeer): Promise<Dispatcher> {
  const { ca, cert, key, serverName, insecure, proxy } = peer;
  const { Agent, ProxyAgent } = await import("undici");
  const tls = {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(serverName !== undefined && { servername: serverName }),
    rejectUnauthorized: !insecure,
  };
  const limits = { allowH2: false, headersTimeout: 0, bodyTimeout: 0 };
  return proxy === undefined
    ? new Agent({ ...limits, connect: { ...tls, timeout: 0 } })
    : new ProxyAgent({ ...limits, uri: proxy, requestTls: tls, proxyTls: ca === undefined ? {} : { ca } });
}

async function* noBody(): AsyncGenerator<Uint8Array> {}
