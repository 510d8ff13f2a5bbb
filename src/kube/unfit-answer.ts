import type { HttpAnswer } from "../host/runtime.ts";
import { isObject } from "../text/json.ts";
import type { Connection } from "./connection.ts";
import { type Outage, outage } from "./outage.ts";

/** An answer that says nothing about the object: neither 200 with JSON nor a 404 that names it. */
export async function explainAnswer(
  connection: Connection,
  answer: HttpAnswer,
  text: string,
  body: unknown,
): Promise<Outage> {
  const { status } = answer;
  const retryAfterMs = readRetryAfter(answer.header("retry-after"));
  const what = await describe(connection, answer, text, messageOf(connection, body));
  return outage(connection, what, { status, ...(retryAfterMs !== undefined && { retryAfterMs }) });
}

async function describe(
  connection: Connection,
  answer: HttpAnswer,
  text: string,
  message: string,
): Promise<string> {
  const { status } = answer;
  const why = message && `: ${message}`;
  if (status === 200) return describeRubbish(answer, text);
  if (status === 401) {
    const { findCredentialFault } = await import("./credential-fault.ts");
    const fault = findCredentialFault(connection, Date.now());
    return `does not accept the credentials of ${connection.origin} (401): ${fault ?? "they may be revoked, outdated, or another cluster's"}`;
  }
  if (status === 403)
    return `forbids it (403)${why || ": allow get and list of nodes to this user, by RBAC"}`;
  if (status === 404) return `does not serve this path (404)${why}: is it a Kubernetes API server?`;
  if (status === 429) return `has too much to do (429)${why}`;
  if (status >= 500) return `failed (${status})${why}`;
  if (status < 300 || status >= 400) return `refused the request (${status})${why}`;
  return `sends elsewhere (${status}${describeTarget(connection, answer)}): is this its own address?`;
}

function describeRubbish(answer: HttpAnswer, text: string): string {
  const type = answer.header("content-type")?.split(";")[0]?.trim() ?? "";
  const named = /^[\w.+-]{1,60}\/[\w.+-]{1,60}$/.test(type) ? type : "something else";
  const what = text === "" ? "nothing" : named;
  if (what === "application/json") return "answered with JSON that is malformed or cut off (200)";
  return `answered with ${what} instead of JSON (200): is it a Kubernetes API server?`;
}

function describeTarget(connection: Connection, answer: HttpAnswer): string {
  const location = answer.header("location") ?? "";
  return URL.canParse(location, connection.server) ? `, to ${new URL(location, connection.server).host}` : "";
}

/** The message of a Status, without line ends, control characters and the token that was shown. */
export function messageOf(connection: Connection, body: unknown): string {
  if (!isObject(body) || body["kind"] !== "Status" || typeof body["message"] !== "string") return "";
  const line = body["message"].replace(/\p{C}+/gu, " ");
  const message = connection.token ? line.replaceAll(connection.token, "…") : line;
  return message.length > 300 ? `${message.slice(0, 300)}…` : message;
}

/** Seconds or a date, as HTTP has it; milliseconds from now. */
function readRetryAfter(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const milliseconds = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(milliseconds) ? Math.max(0, milliseconds) : undefined;
}
