import { poolKey } from "../api/pool-names.ts";
import type { ControllerContext } from "./context.ts";
import { countPool } from "./count-pool.ts";
import { judgePool } from "./pool-condition.ts";

/** /metrics: counted when they are asked for. */
export function serveMetrics(context: ControllerContext): void {
  const { registry, routes } = context;
  routes.set("/metrics", async () => {
    countAll(context);
    return { status: 200, type: registry.contentType, body: await registry.metrics() };
  });
}

function countAll({ cluster, queue, metrics, heard }: ControllerContext): void {
  for (const [what, at] of heard) metrics.heard.set({ what }, (performance.now() - at) / 1000);
  for (const gauge of [metrics.blocks, metrics.addresses, metrics.ready, metrics.unplaced, metrics.doubts])
    gauge.reset();
  metrics.queue.set(queue.length());
  metrics.nodes.set(cluster.nodes.size);
  for (const { kind, name } of cluster.pairs.allServed)
    metrics.doubts.set(
      { kind, pool: name },
      cluster.serving.doubts.get(poolKey({ kind, name }))?.length ?? 0,
    );
  for (const entry of cluster.pools.values()) {
    const labels = { kind: entry.record.kind, pool: entry.record.name };
    const { reason } = judgePool(cluster, entry);
    metrics.ready.set({ ...labels, reason }, reason === "Valid" ? 1 : 0);
    metrics.unplaced.set(labels, entry.unplaced.size);
    const counts = countPool(cluster, entry);
    for (const [state, count] of Object.entries(counts?.blocks ?? {}))
      metrics.blocks.set({ ...labels, state }, Number(count));
    for (const [state, count] of Object.entries(counts?.addresses ?? {}))
      metrics.addresses.set({ ...labels, state }, Number(count));
  }
}
