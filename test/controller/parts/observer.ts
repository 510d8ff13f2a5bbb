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

export type Observer = { revisions: Revision[]; stop(): Promise<void> };

/** What there is of Nodes and NodeBlocks, and every revision from now on, by watches that miss none. */
export async function observe(client: Client, paths: { Node: string; NodeBlock: string }): Promise<Observer> {
  const revisions: Revision[] = [];
  const ending = new AbortController();
  const take = (kind: Revision["kind"], object: JsonObject, isGone: boolean): undefined => {
    const { resourceVersion } = object["metadata"] as { resourceVersion: string };
    revisions.push({ version: Number(resourceVersion), at: Date.now(), kind, isGone, object });
  };
  const follow = async (kind: Revision["kind"]) => {
    let version = "";
    await client.list(paths[kind], (object) => take(kind, object as JsonObject, false), {
      onVersion: (one) => {
        version = one;
      },
    });
    const run = async () => {
      while (!ending.signal.aborted) {
        for await (const event of watchFrom(client, paths[kind], version, {}, ending.signal)) {
          version = event.version;
          if (event.type === "BOOKMARK") continue;
          take(kind, event.object, event.type === "DELETED");
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
    stop: async () => {
      ending.abort();
      await Promise.all(running);
    },
  };
}
