import { poolKey } from "../api/pool-names.ts";
import type { ControllerContext } from "./context.ts";
import type { PoolRecord } from "./records.ts";

/** What is known of a pool now, by whatever way that came. Where it is planned with anew, the pool and all Nodes are looked at. */
export function putPool(context: ControllerContext, record: PoolRecord): void {
  if (context.cluster.putPool(record)) lookAtAll(context, poolKey(record));
}

/** Selectors, exclusions, gateways: any Node may be another's case now. */
export function lookAtAll({ cluster, queue }: ControllerContext, key: string): void {
  queue.add(`pool/${key}`);
  for (const name of cluster.nodes.keys()) queue.add(`node/${name}`);
}
