import type { HttpAnswer } from "../host/runtime.ts";
import { isObject, type JsonObject } from "../text/json.ts";
import type { Connection } from "./connection.ts";
import { explainFailure } from "./connection-failure.ts";
import type { Outage } from "./outage.ts";
import { explainAnswer, messageOf } from "./unfit-answer.ts";

/** A request that failed, as a sentence for people. `status` and `reason` are HTTP's and the API's, where there was an answer. */
export class ApiError extends Error {
  readonly status: number | undefined;
  readonly reason: string | undefined;
  readonly retryAfterMs: number | undefined;
  /** The Status object, where the answer was one. */
  readonly body: JsonObject | undefined;

  constructor(
    { reason: words, status, retryAfterMs }: Omit<Outage, "kind">,
    body?: JsonObject,
    cause?: unknown,
  ) {
    super(words, cause === undefined ? undefined : { cause });
    this.name = "ApiError";
    this.status = status;
    this.reason = typeof body?.["reason"] === "string" ? body["reason"] : undefined;
    this.retryAfterMs = retryAfterMs;
    this.body = body;
  }
}

export function isStatus(error: unknown, ...statuses: number[]): error is ApiError {
  return error instanceof ApiError && error.status !== undefined && statuses.includes(error.status);
}

/** Undefined where the API server answers 404: there is no such object, or no such path. */
export async function unlessAbsent<T>(request: Promise<T>): Promise<T | undefined> {
  try {
    return await request;
  } catch (error) {
    if (isStatus(error, 404)) return undefined;
    throw error;
  }
}

/** An answer that is no success. The API server's own words come first: they name object, right or field. */
export async function errorOf(connection: Connection, answer: HttpAnswer, text: string): Promise<ApiError> {
  const body = parse(text);
  const outage = await explainAnswer(connection, answer, text, body);
  const message = messageOf(connection, body);
  const words = message === "" ? undefined : wordsFor(answer.status, message, connection);
  return new ApiError({ ...outage, reason: words ?? outage.reason }, isObject(body) ? body : undefined);
}

function wordsFor(status: number, message: string, connection: Connection): string | undefined {
  switch (status) {
    case 403:
      return `${message}: ask for this right (RBAC), or use another context or user (this is ${connection.origin})`;
    case 400:
    case 404:
    case 409:
    case 410:
    case 422:
      return message;
    default:
      return undefined;
  }
}

/** No answer at all, or one that broke off. */
export async function errorOfFailure(
  connection: Connection,
  error: unknown,
  status: number | undefined,
): Promise<ApiError> {
  const outage = await explainFailure(connection, error, status);
  const where = `is it up, and is ${connection.origin} the right one?`;
  return new ApiError({ ...outage, reason: `${outage.reason}: ${where}` }, undefined, error);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
