import { createHash } from "node:crypto";
import { type AllSeries, nameOf, plan, type Series } from "../daemon/event-series.ts";
import { ApiError } from "../kube/api-error.ts";
import type { NodeFacts } from "../kube/node.ts";
import { openClient } from "./client.ts";
import type { Condition } from "./conditions.ts";
import type { AgentContext } from "./context.ts";
import { metricsIn } from "./metrics.ts";

/** Tells the cluster of what is so on this node. Never throws: an event that can't be sent stops nothing. */
export type NodeEvents = { tell(conditions: Condition[], node: NodeFacts | undefined): Promise<void> };

/** Node has no namespace; where its events lie, by the kubelet's custom. */
const path = "/apis/events.k8s.io/v1/namespaces/default/events";

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
        } catch (error) {
          events.inc({ reason, result: "failed" });
          log.warn("an event can't be sent", {
            reason,
            key: one.condition.key,
            failure: (error as Error).message,
          });
        }
        one.toldAt = now; // One that failed isn't tried at every look either.
      }
    },
  };
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
  const time = new Date().toISOString().replace("Z", "000Z");
  try {
    if (one.name !== undefined) {
      const series = { count: one.count, lastObservedTime: time };
      try {
        await client.patch(`${path}/${one.name}`, { series }, "merge");
        return one.name;
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 404) throw error; // It has run out: events live for an hour.
      }
    }
    const event = describe(one.condition, node, instance, time);
    await client.create(path, event);
    return event.metadata.name;
  } finally {
    client.close();
  }
}

function describe(condition: Condition, node: NodeFacts, instance: string, time: string) {
  const digest = createHash("sha256")
    .update(`${nameOf(condition)} ${time}`)
    .digest("hex")
    .slice(0, 16);
  return {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: { name: `${node.name.slice(0, 200)}.${digest}`, namespace: "default" },
    eventTime: time,
    reportingController: "kube-node.io/agent",
    reportingInstance: instance.slice(0, 128),
    action: "WatchRanges",
    type: "Warning",
    reason: condition.reason,
    note: condition.note.slice(0, 1000),
    regarding: { apiVersion: "v1", kind: "Node", name: node.name, uid: node.uid },
  };
}
