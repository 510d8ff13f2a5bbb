import type { HttpAnswer } from "../host/runtime.ts";
import { ApiError } from "./api-error.ts";
import type { Connection } from "./connection.ts";
import { explainBreak } from "./connection-failure.ts";

/** The same answer; where its body breaks off before `signal` ends it, that is an ApiError in the place of the runtime's own words. */
export function explainStream(connection: Connection, answer: HttpAnswer, signal: AbortSignal): HttpAnswer {
  return { ...answer, body: explained(connection, answer, signal) };
}

async function* explained(
  connection: Connection,
  { body, status }: HttpAnswer,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    signal.throwIfAborted();
    throw new ApiError(explainBreak(connection, error, status), undefined, error);
  }
}
