import type { Client } from "../../../src/kube/client.ts";
import { watchFrom } from "../../../src/kube/watch.ts";
import type { JsonObject } from "../../../src/text/json.ts";

/** One revision of one object; `at` is when it was heard of (milliseconds since 1970). */
export type Revision = {
  version: number;
  at: number;
  kind: "Node" | "NodeBlock";
  isGone: boolean;
  object: JsonObject;
};

export type Observer = { revisions: Revision[]; upTo(version: number): Promise<void>; stop(): Promise<void> };

/** Every revision of all Nodes and NodeBlocks from now on, by watches that miss none. */
export async function observe(client: Client, paths: { Node: string; NodeBlock: string }): Promise<Observer> {
  const revisions: Revision[] = [];
  const ending = new AbortController();
  const seen: Record<string, number> = {};
  const follow = async (kind: Revision["kind"]) => {
    let version = "";
    await client.list(paths[kind], () => undefined, { onVersion: (one) => (version = one) });
    const run = async () => {
      while (!ending.signal.aborted) {
        for await (const event of watchFrom(client, paths[kind], version, {}, ending.signal)) {
          version = event.version;
          seen[kind] = Number(version);
          if (event.type === "BOOKMARK") continue;
          const isGone = event.type === "DELETED";
          revisions.push({ version: Number(version), at: Date.now(), kind, isGone, object: event.object });
        }
      }
    };
    return run().catch((error) => {
      if (!ending.signal.aborted) throw error;
    });
  };
  const running = [follow("Node"), follow("NodeBlock")];
  return {
    revisions,
    upTo: async (version) => {
      while ((seen["Node"] ?? 0) < version) await new Promise((resolve) => setTimeout(resolve, 20));
    },
    stop: async () => {
      ending.abort();
      await Promise.all(running);
    },
  };
}
