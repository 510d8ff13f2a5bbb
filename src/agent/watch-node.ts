import { setTimeout as pause } from "node:timers/promises";
import { type BackOff, makeBackOff } from "../daemon/back-off.ts";
import { ApiError, isStatus } from "../kube/api-error.ts";
import type { Connection } from "../kube/connection.ts";
import { type Beat, type LiveSession, openLiveSession } from "../kube/live-session.ts";
import { type NodeFacts, readNode } from "../kube/node.ts";
import { outage } from "../kube/outage.ts";
import { lines, readEvent } from "../kube/watch.ts";
import { isObject } from "../text/json.ts";
import { faultWords } from "./fault-words.ts";

/**
 * `onNode` hears what the Node is (undefined: there is none) at first and at each event; `onHeard` the uptime at which the API server
 * was last asked whether it lives, and has said so, while the watch stood; `onTrouble` why it can't be heard.
 */
export type NodeWatch = {
  name: string;
  connect(): Promise<Connection>;
  onNode(node: NodeFacts | undefined): void;
  onHeard(sentAt: number): void;
  onTrouble(words: string): void;
  signal: AbortSignal;
};

/** 15 s after it was last heard the plugin asks itself: three pings fit in there, and the time that one may take. */
const beat: Beat = { everyMs: 4000, patienceMs: 10_000 };
/** Milliseconds that the answer with the Node may take, whole. */
const longestList = 30_000;
/** The server ends a watch after this many seconds; half of it is chance. An idle agent asks about twice an hour. */
const longestWatch = 3600;

/** One watch of one Node, through everything that may befall it, until the signal. */
export async function watchNode(watch: NodeWatch): Promise<void> {
  const backOff = makeBackOff(500, 30_000);
  while (!watch.signal.aborted) {
    try {
      await watchOnce(watch, backOff);
    } catch (error) {
      if (watch.signal.aborted) return;
      watch.onTrouble(faultWords(error));
    }
    await backOff.wait(watch.signal);
  }
}

/** Over one connection, until that ends (throws) or the credentials are others (returns). */
async function watchOnce(watch: NodeWatch, backOff: BackOff): Promise<void> {
  const connection = await watch.connect();
  let isWatching = false;
  const heard = (sentAt: number) => {
    if (isWatching) watch.onHeard(sentAt);
  };
  const session = await openLiveSession(connection, beat, (sentAt) => {
    if (isWatching) backOff.reset(); // It has stood for a beat: not one of a server that ends each at once.
    heard(sentAt);
  });
  watch.signal.addEventListener("abort", session.close, { once: true });
  const begin = () => {
    isWatching = true;
    void session.ping().then(heard);
  };
  try {
    let version = "";
    do {
      if (version === "") version = await list(watch, session, connection);
      version = await follow(watch, session, version, begin);
      isWatching = false;
      await backOff.wait(watch.signal);
    } while (keyOf(await watch.connect()) === keyOf(connection));
  } catch (error) {
    // What ended the connection says more than what became of a request on it.
    throw await Promise.race([session.ended, pause(100, error)]);
  } finally {
    isWatching = false;
    watch.signal.removeEventListener("abort", session.close);
    session.close();
  }
}

/** What a TLS connection was made with, and who we were on it: other ones want another connection. */
function keyOf({ server, serverName, insecure, ca, cert, key, token, proxy }: Connection): string {
  return JSON.stringify([server, serverName, insecure, ca, cert, key, token, proxy]);
}

/** Gives the version to watch from. A list of one, since its version is the collection's, and since an absent Node is no error in it. */
async function list(watch: NodeWatch, session: LiveSession, connection: Connection): Promise<string> {
  const signal = AbortSignal.any([watch.signal, AbortSignal.timeout(longestList)]);
  const answer = await session.open(`/api/v1/nodes?${select(watch.name)}`, signal);
  const body = parse(await textOf(answer.body));
  const metadata = isObject(body) ? body["metadata"] : undefined;
  const items = isObject(body) ? (body["items"] ?? []) : undefined;
  if (!isObject(metadata) || typeof metadata["resourceVersion"] !== "string" || !Array.isArray(items))
    throw new ApiError(outage(connection, "answered with rubbish: no list of Nodes", { status: 200 }));
  const nodes = items.map((item) => nodeIn(item, watch.name));
  watch.onNode(nodes[0]);
  return metadata["resourceVersion"];
}

/** From a version on until the server ends the watch; the last version that was seen, "" where its history is lost. */
async function follow(
  watch: NodeWatch,
  session: LiveSession,
  from: string,
  onWatching: () => void,
): Promise<string> {
  let version = from;
  const query = new URLSearchParams({
    watch: "true",
    allowWatchBookmarks: "true",
    resourceVersion: version,
    timeoutSeconds: String(Math.round(longestWatch * (0.5 + Math.random() / 2))),
  });
  try {
    const { body } = await session.open(`/api/v1/nodes?${query}&${select(watch.name)}`, watch.signal);
    onWatching();
    for await (const line of lines(body)) {
      const event = readEvent(line);
      if (event.version !== "") version = event.version;
      if (event.type === "BOOKMARK") continue;
      watch.onNode(event.type === "DELETED" ? undefined : nodeIn(event.object, watch.name));
    }
    return version;
  } catch (error) {
    if (isStatus(error, 410)) return "";
    throw error;
  }
}

function select(name: string): string {
  return `fieldSelector=${encodeURIComponent(`metadata.name=${name}`)}`;
}

function nodeIn(value: unknown, name: string): NodeFacts {
  const node = readNode(value);
  if (node?.name === name) return node;
  throw new Error(`the API server sent no Node that can be read, or another than ${name}`);
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
