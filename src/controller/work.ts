import type { Health, Part } from "../daemon/part.ts";
import { collectGarbage } from "../host/runtime.ts";
import type { ControllerContext } from "./context.ts";
import { reconcileNode } from "./reconcile-node.ts";
import { reconcilePool } from "./reconcile-pool.ts";

const tidyEveryMs = 3000;
const muchWork = 1000;

/** Begins once everything is listed: what is occupied is known before anything is given. */
export function startWork(context: ControllerContext, listed: Promise<void>): Part {
  const { cluster, queue, config, log } = context;
  let worked = 0;
  let health: Health = { live: true, ready: false, words: "not everything is listed yet" };

  async function run(): Promise<void> {
    const ended = new Promise<false>((resolve) =>
      context.signal.addEventListener("abort", () => resolve(false), { once: true }),
    );
    if ((await Promise.race([listed, ended])) === false) return;
    const { nodes, blocks, pools } = cluster;
    log.info("everything is listed", { nodes: nodes.size, pools: pools.size, blocks: blocks.size });
    for (const key of pools.keys()) queue.add(`pool/${key}`);
    for (const name of nodes.keys()) queue.add(`node/${name}`);
    for (const { nodeName } of blocks.values()) queue.add(`node/${nodeName}`);
    health = { live: true, ready: true, words: "blocks are given" };
    collectGarbage();
    const timer = setInterval(tidy, tidyEveryMs);
    await queue.run(config.workers, work);
    clearInterval(timer);
  }

  /** What many looks left behind; never while there is work. */
  function tidy(): void {
    if (worked < muchWork || queue.length() > 0) return;
    worked = 0;
    collectGarbage();
  }

  async function work(key: string): Promise<void> {
    if (context.signal.aborted) return;
    worked++;
    if (key.startsWith("node/")) await reconcileNode(context, key.slice("node/".length));
    else await reconcilePool(context, key.slice("pool/".length));
  }

  const done = run();
  return {
    name: "work",
    stop: async () => {
      queue.stop();
      await done;
    },
    health: () => health,
  };
}
