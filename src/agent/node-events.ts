import { type AllSeries, plan, rate, type Series } from "../daemon/event-series.ts";
import { sendEvent } from "../daemon/send-event.ts";
import type { NodeFacts } from "../kube/node.ts";
import { openClient } from "./client.ts";
import type { Condition } from "./conditions.ts";
import type { AgentContext } from "./context.ts";
import { metricsIn } from "./metrics.ts";

/** Tells the cluster of what is so on this node. Never throws: an event that can't be sent stops nothing. */
export type NodeEvents = { tell(conditions: Condition[], node: NodeFacts | undefined): Promise<void> };

/** Each series is one event: made once, then only its count and its time change. */
export function makeNodeEvents(context: AgentContext, clock = () => performance.now()): NodeEvents {
  const { log, metrics, config } = context;
  const { events } = metricsIn(metrics);
  let series: AllSeries<Condition> = new Map();
  let told: number[] = [];

  return {
    async tell(conditions, node) {
      const now = clock();
      const planned = plan(series, conditions, told, now);
      for (const [name, { condition }] of planned.series)
        if (!series.has(name))
          log.warn(words[condition.reason], { key: condition.key, note: condition.note });
      series = planned.series;
      if (!node || planned.due.length === 0) return;
      told = [...told.filter((at) => now - at < 60 * 60_000), ...planned.due.map(() => now)];
      for (const one of planned.due) {
        const { reason } = one.condition;
        try {
          one.name = await send(context, one, node, config.nodeName);
          events.inc({ reason, result: "sent" });
          [one.toldAt, one.failures] = [now, 0];
        } catch (error) {
          events.inc({ reason, result: "failed" });
          one.failures = (one.failures ?? 0) + 1;
          one.toldAt = now - rate.between + pauseAfter(one.failures);
          log.warn("an event can't be sent", {
            reason,
            key: one.condition.key,
            failure: (error as Error).message,
          });
        }
      }
    },
  };
}

/** Milliseconds until one that could not be sent is tried again; it is one of the hour's words, too. */
function pauseAfter(failures: number): number {
  return Math.min(rate.between, 5 * 60_000 * 2 ** (failures - 1)) * (0.75 + Math.random() / 4);
}

const words: Record<Condition["reason"], string> = {
  RangesMalformed: "ranges on the Node are malformed",
  RangeNearlyFull: "a range is nearly full",
  RangeFull: "a range is full",
};

/** The event's name. */
async function send(
  context: AgentContext,
  one: Series<Condition>,
  node: NodeFacts,
  instance: string,
): Promise<string> {
  const client = await openClient(context, { requestTimeoutMs: 10_000 });
  try {
    return await sendEvent(client, one, {
      regarding: { apiVersion: "v1", kind: "Node", name: node.name, uid: node.uid },
      controller: "kube-node.io/agent",
      instance,
      action: "WatchRanges",
    });
  } finally {
    client.close();
  }
}
