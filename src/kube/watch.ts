import { isObject, type JsonObject } from "../text/json.ts";
import { ApiError } from "./api-error.ts";
import type { Client } from "./client.ts";
import { outage } from "./outage.ts";

/** What happened to an object; `version` is where a later watch may go on. A bookmark has no object. */
export type WatchEvent = {
  type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  object: JsonObject;
  version: string;
};

/** The server ends a watch after so many seconds; one that is silent for longer than that and a bit is dead. */
const longest = 300;
const silent = (longest + 30) * 1000;

/** Which objects of a path are meant; all of them where it says nothing. */
export type Selection = { labelSelector?: string; fieldSelector?: string };

/** Events since `version` until the server ends the watch. Throws an ApiError; one with status 410 means: list anew. */
export async function* watchFrom(
  client: Client,
  path: string,
  version: string,
  { labelSelector, fieldSelector }: Selection,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent, void> {
  const query = new URLSearchParams({
    watch: "true",
    allowWatchBookmarks: "true",
    resourceVersion: version,
    timeoutSeconds: String(longest),
    ...(labelSelector && { labelSelector }),
    ...(fieldSelector && { fieldSelector }),
  });
  const tooLong = AbortSignal.timeout(silent);
  try {
    const { body } = await client.open(`${path}?${query}`, AbortSignal.any([signal, tooLong]));
    for await (const line of lines(body)) yield readEvent(line);
  } catch (error) {
    if (signal.aborted || !tooLong.aborted) throw error;
    const what = `did not end a watch of ${longest} s: the connection to it may be dead`;
    throw new ApiError(outage(client.connection, what), undefined, error);
  }
}

export async function* lines(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of body) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    yield* parts.filter((line) => line !== "");
  }
}

export function readEvent(line: string): WatchEvent {
  const event: unknown = JSON.parse(line);
  const object = isObject(event) && isObject(event["object"]) ? event["object"] : {};
  if (!isObject(event) || event["type"] === "ERROR") {
    const reason = `the watch ended: ${object["message"] ?? "the server gave no reason"}`;
    throw new ApiError({ reason, status: Number(object["code"] ?? 500) }, object);
  }
  const metadata = isObject(object["metadata"]) ? object["metadata"] : {};
  return {
    type: event["type"] as WatchEvent["type"],
    object,
    version: String(metadata["resourceVersion"] ?? ""),
  };
}
