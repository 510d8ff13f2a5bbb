import { describe, expect, it, onTestFinished, vi } from "vitest";
import { ApiError } from "../../src/kube/api-error.ts";
import type { Client } from "../../src/kube/client.ts";
import { follow } from "../../src/kube/follow.ts";

type Stream = { version: string; send(event: object): void; end(): void; fail(error: Error): void };

/** A server of one list; each watch waits for what the test sends. */
function serve(lists: { version: string; names: string[] }[]) {
  const streams: Stream[] = [];
  const client = {
    list: async (
      _: string,
      pick: (item: unknown) => unknown,
      options: { onVersion?: (version: string) => void },
    ) => {
      const { version, names } = (lists.length > 1 ? lists.shift() : lists[0]) as (typeof lists)[0];
      options.onVersion?.(version);
      return names.map((name) => pick({ metadata: { name } }));
    },
    open: async (path: string) => {
      const { readable, writable } = new TransformStream<Uint8Array>();
      const writer = writable.getWriter();
      streams.push({
        version: new URL(path, "http://x").searchParams.get("resourceVersion") ?? "",
        send: (event) => void writer.write(new TextEncoder().encode(`${JSON.stringify(event)}\n`)),
        end: () => void writer.close(),
        fail: (error) => void writer.abort(error),
      });
      return { status: 200, body: readable };
    },
  } as unknown as Client;
  return { client, streams };
}

function event(type: string, name: string, resourceVersion: string) {
  return { type, object: { metadata: { name, resourceVersion } } };
}

describe("follow", () => {
  it("keeps a list through ends, failures and lost history, going on where it was", async () => {
    const { client, streams } = serve([
      { version: "10", names: ["a", "b"] },
      { version: "90", names: ["c"] },
    ]);
    const seen: string[] = [];
    const troubles: string[] = [];
    const stop = new AbortController();
    const done = follow<string>(
      client,
      {
        path: "/nodes",
        pick: (item) => (item as { metadata: { name: string } }).metadata.name,
        onChange: (all) => seen.push([...all.values()].join(" ")),
        onTrouble: (words) => troubles.push(words),
        firstPause: 1,
      },
      stop.signal,
    );
    const stream = async (index: number) => {
      await expect.poll(() => streams.length).toBe(index + 1);
      return streams[index] as Stream;
    };
    const last = (names: string) => expect.poll(() => seen.at(-1)).toBe(names);

    const first = await stream(0);
    expect(first.version).toBe("10");
    first.send(event("DELETED", "a", "11"));
    first.send(event("ADDED", "d", "12"));
    await last("b d");
    first.send({ type: "BOOKMARK", object: { metadata: { resourceVersion: "20" } } });
    first.end();

    const second = await stream(1);
    expect(second.version).toBe("20");
    second.fail(new ApiError({ reason: "broken" }));
    await expect.poll(() => troubles).toEqual(["broken"]);

    const third = await stream(2);
    expect(third.version).toBe("20");
    third.send({ type: "ERROR", object: { code: 410, message: "too old resource version" } });
    await last("c");
    expect((await stream(3)).version).toBe("90");
    expect(troubles).toEqual(["broken"]);
    stop.abort();
    streams[3]?.end();
    await done;
  });

  it("says so where a watch stays open for longer than the server lets it", async () => {
    const tooLong = new AbortController();
    const timeout = vi.spyOn(AbortSignal, "timeout").mockReturnValue(tooLong.signal);
    onTestFinished(() => timeout.mockRestore());
    const { client } = serve([{ version: "10", names: [] }]);
    const silent = {
      ...client,
      connection: { server: "https://x:6443" },
      open: async (_: string, signal: AbortSignal) => {
        signal.throwIfAborted();
        const { promise, reject } = Promise.withResolvers<never>();
        signal.addEventListener("abort", () => reject(signal.reason as Error));
        tooLong.abort();
        return promise;
      },
    } as unknown as Client;
    const stop = new AbortController();
    const troubles: string[] = [];
    const onTrouble = (words: string) => {
      troubles.push(words);
      stop.abort();
    };
    await follow(silent, { path: "/nodes", pick: () => "", onTrouble }, stop.signal);
    expect(troubles).toEqual([
      "the API server https://x:6443 did not end a watch of 300 s: the connection to it may be dead",
    ]);
  });

  it("fails where the first list does", async () => {
    const client = { list: () => Promise.reject(new Error("no rights")) } as unknown as Client;
    const followed = { path: "/nodes", pick: () => "", onChange: () => {}, onTrouble: () => {} };
    await expect(follow(client, followed, new AbortController().signal)).rejects.toThrow("no rights");
  });
});
