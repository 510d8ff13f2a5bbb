import { type HttpAnswer, send } from "../host/runtime.ts";
import { isObject } from "../text/json.ts";
import type { Connection } from "./connection.ts";
import { explainFailure } from "./connection-failure.ts";
import { type Outage, outage } from "./outage.ts";
import { explainAnswer, messageOf } from "./unfit-answer.ts";

/** `absent`: the API server itself says that the object isn't there. `outage`: nothing is known of it; `reason` is for people. */
export type Answer = { kind: "object"; body: unknown } | { kind: "absent"; message: string } | Outage;

/**
 * `deadline` in ms since 1970: whatever the server does, an answer is there by then. `maxBytes` bounds the body. `hear` is
 * told of an answer's headers as soon as they come.
 */
export type Limits = { deadline: number; maxBytes: number; hear?: (header: HttpAnswer["header"]) => void };

const longestTimer = 2 ** 31 - 1;

/** One GET; `path` begins with a slash. Never throws, and no reason holds a credential. */
export async function get(connection: Connection, path: string, limits: Limits): Promise<Answer> {
  const milliseconds = Math.min(limits.deadline - Date.now(), longestTimer);
  if (!(milliseconds > 0)) return outage(connection, "was not asked: no time was left");
  const abort = new AbortController();
  const progress = { status: undefined as number | undefined };
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Answer>((resolve) => {
    timer = setTimeout(
      () => resolve(explainLateness(connection, milliseconds, progress.status)),
      milliseconds,
    );
  });
  try {
    return await Promise.race([ask(connection, path, limits, abort.signal, progress), late]);
  } finally {
    clearTimeout(timer);
    abort.abort();
  }
}

function explainLateness(connection: Connection, milliseconds: number, status: number | undefined): Outage {
  const seconds = `${(milliseconds / 1000).toFixed(1)} s`;
  if (status === undefined) return outage(connection, `did not answer within ${seconds}`);
  return outage(connection, `began to answer (${status}), but did not come to an end within ${seconds}`, {
    status,
  });
}

async function ask(
  connection: Connection,
  path: string,
  { maxBytes, hear }: Limits,
  signal: AbortSignal,
  progress: { status: number | undefined },
): Promise<Answer> {
  try {
    const answer = await send({
      ...connection,
      url: connection.server + path,
      headers: headersFor(connection),
      signal,
    });
    progress.status = answer.status;
    hear?.(answer.header);
    const text = await readBody(answer.body, maxBytes);
    return await judge(connection, path, answer, text, maxBytes);
  } catch (error) {
    return explainFailure(connection, error, progress.status);
  }
}

function headersFor({ token }: Connection): Record<string, string> {
  return {
    accept: "application/json",
    "accept-encoding": "identity",
    "user-agent": "kube-node-ipam",
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  };
}

/** The whole body, or undefined where it is longer than allowed. */
async function readBody(body: HttpAnswer["body"], maxBytes: number): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function judge(
  connection: Connection,
  path: string,
  answer: HttpAnswer,
  text: string | undefined,
  maxBytes: number,
): Answer | Promise<Answer> {
  const { status } = answer;
  const tooLong = `gave an answer (${status}) of more than ${maxBytes} bytes`;
  if (text === undefined) return outage(connection, tooLong, { status });
  const body = parseBody(text);
  if (status === 200 && body !== undefined) return { kind: "object", body };
  if (status === 404 && isAbout(body, path)) return { kind: "absent", message: messageOf(connection, body) };
  return explainAnswer(connection, answer, text, body);
}

function parseBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A 404 also comes from paths that aren't served and from servers that aren't Kubernetes: only this one names the object. */
function isAbout(body: unknown, path: string): boolean {
  if (!isObject(body) || body["kind"] !== "Status" || body["reason"] !== "NotFound") return false;
  const details = body["details"];
  const name = decodeURIComponent(path.slice(path.lastIndexOf("/") + 1));
  return isObject(details) && details["name"] === name;
}
