import { setTimeout as pause } from "node:timers/promises";
import { isObject } from "../text/json.ts";
import { ApiError } from "./api-error.ts";
import type { Client } from "./client.ts";
import { type Selection, watchFrom } from "./watch.ts";

/**
 * What to follow: `pick` keeps of an object what is wanted, undefined for nothing. `onChange` is told after each list and each event,
 * `onHeard` after each of them and each bookmark, `onTrouble` when the API server can't be heard, with a sentence. Pauses grow from `firstPause` (milliseconds).
 * `noticesSetBack`: before each watch but the first it asks whether a restored etcd lies before what was seen, and lists anew then: one request more.
 * `onList` is told of each list, and whether it lies before what was seen already, `onObject` of each object that an event is about: undefined where it is gone.
 */
export type Followed<T> = Selection & {
  path: string;
  pick: (item: unknown) => T | undefined;
  onChange?: (all: ReadonlyMap<string, T>) => void;
  onList?: (all: ReadonlyMap<string, T>, isSetBack: boolean) => void;
  onObject?: (value: T | undefined, before: T | undefined, version: string) => void;
  onHeard?: () => void;
  onTrouble: (words: string) => void;
  noticesSetBack?: boolean;
  firstPause?: number;
};

const longestPause = 30_000;

/** A list that is kept as the cluster has it, through broken connections and lost history, until `signal` ends it. The first list must succeed. */
export async function follow<T>(client: Client, followed: Followed<T>, signal: AbortSignal): Promise<void> {
  let state = await list(client, followed);
  let failures = 0;
  let isDoubtful = false;
  while (!signal.aborted) {
    try {
      if (isDoubtful && (await isSetBack(client, followed, state)))
        state = await list(client, followed, state);
      // However this watch ends: that of a server that goes down may end without an error.
      isDoubtful = followed.noticesSetBack === true;
      await watch(client, followed, state, signal, () => {
        failures = 0;
      });
      await pause(100, undefined, { signal });
    } catch (error) {
      if (signal.aborted) return;
      if (!isHistoryLost(error)) followed.onTrouble((error as Error).message);
      else state = await listAnew(client, followed, state);
      const first = followed.firstPause ?? 1000;
      const growing = Math.min(longestPause, first * 2 ** failures++) * (0.5 + Math.random());
      await pause(growing, undefined, { signal }).catch(() => {});
    }
  }
}

/** A watch of a version that a restored etcd doesn't have yet is silent until it has: without a word of what there is now. */
async function isSetBack<T>(client: Client, { path }: Followed<T>, state: State<T>): Promise<boolean> {
  let version = "";
  await client.list(path, () => undefined, {
    pageSize: 1,
    firstPageOnly: true,
    onVersion: (one) => {
      version = one;
    },
  });
  return version !== "" && Number(version) < Number(state.version);
}

async function listAnew<T>(client: Client, followed: Followed<T>, before: State<T>): Promise<State<T>> {
  try {
    return await list(client, followed, before);
  } catch (error) {
    followed.onTrouble((error as Error).message);
    return before;
  }
}

type State<T> = { all: Map<string, T>; version: string };

async function list<T>(
  client: Client,
  { path, labelSelector, fieldSelector, pick, onChange, onList, onHeard }: Followed<T>,
  before?: State<T>,
): Promise<State<T>> {
  let version = "";
  const found = await client.list(
    path,
    (item) => {
      const value = pick(item);
      return value === undefined ? undefined : ([nameOf(item), value] as const);
    },
    {
      ...(labelSelector && { labelSelector }),
      ...(fieldSelector && { fieldSelector }),
      onVersion: (one) => {
        version = one;
      },
    },
  );
  const all = new Map(found);
  onChange?.(all);
  onList?.(all, before !== undefined && Number(version) < Number(before.version));
  onHeard?.();
  return { all, version };
}

async function watch<T>(
  client: Client,
  { path, pick, onChange, onObject, onHeard, ...selection }: Followed<T>,
  state: State<T>,
  signal: AbortSignal,
  onEvent: () => void,
): Promise<void> {
  for await (const { type, object, version } of watchFrom(client, path, state.version, selection, signal)) {
    onEvent();
    if (version !== "") state.version = version;
    if (type === "BOOKMARK") {
      onHeard?.();
      continue;
    }
    const value = type === "DELETED" ? undefined : pick(object);
    const name = nameOf(object);
    const before = state.all.get(name);
    if (value === undefined) state.all.delete(name);
    else state.all.set(name, value);
    onChange?.(state.all);
    onObject?.(value, before, version);
    onHeard?.();
  }
}

function nameOf(item: unknown): string {
  const metadata = isObject(item) && isObject(item["metadata"]) ? item["metadata"] : {};
  return `${metadata["namespace"] ?? ""}/${metadata["name"]}`;
}

/** Gone; or, after a restore of etcd, not there yet: what we know is of a later moment than the server's. */
function isHistoryLost(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 410 || isTooLarge(error));
}

function isTooLarge({ message }: ApiError): boolean {
  return /too large resource version/i.test(message);
}
