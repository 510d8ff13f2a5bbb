import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import { request } from "node:https";
import type { Credentials } from "./api-server.ts";

/** Where to and as whom; `authority` is PEM. */
export type Connection = { url: string; authority: string; credentials: Credentials };

/** `path` begins with a slash and may have a query; an object as `body` goes out as JSON. */
export type Call = { method?: string; path: string; body?: object; headers?: OutgoingHttpHeaders };

/** `json` is the body where it is JSON, else undefined. */
export type Answer = { status: number; headers: IncomingHttpHeaders; text: string; json: unknown };

/** One request on a connection of its own. Rejects where there is no whole answer in ten seconds. */
export function send({ url, authority, credentials }: Connection, call: Call): Promise<Answer> {
  const { client, token } = credentials;
  const options = {
    method: call.method ?? "GET",
    agent: false as const,
    ca: authority,
    timeout: 10_000,
    headers: {
      accept: "application/json",
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(call.body && { "content-type": "application/json" }),
      ...call.headers,
    },
    ...(client && { cert: client.certificate, key: client.key }),
  };
  return new Promise((resolve, reject) => {
    const outgoing = request(new URL(call.path, url), options, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: parseJson(text) });
      });
    });
    outgoing.on("timeout", () => outgoing.destroy(new Error(`no answer to ${options.method} ${call.path}`)));
    outgoing.on("error", reject);
    outgoing.end(call.body && JSON.stringify(call.body));
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
