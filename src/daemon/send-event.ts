import { createHash } from "node:crypto";
import { isStatus } from "../kube/api-error.ts";
import type { Client } from "../kube/client.ts";
import { type Condition, nameOf, type Series } from "./event-series.ts";

/** Who tells, and of which object. */
export type Telling = {
  regarding: { apiVersion: string; kind: string; name: string; uid: string; namespace?: string };
  controller: string;
  instance: string;
  action: string;
};

/** Events lie in the namespace of what they tell of; of what has none in this one, by the kubelet's custom. */
const usualNamespace = "default";

/** Makes the event of a series, or brings up to date the one that there is. Its name. */
export async function sendEvent(client: Client, one: Series, telling: Telling): Promise<string> {
  const time = new Date().toISOString().replace("Z", "000Z");
  const namespace = telling.regarding.namespace ?? usualNamespace;
  const path = `/apis/events.k8s.io/v1/namespaces/${namespace}/events`;
  if (one.name !== undefined) {
    const series = { count: one.count, lastObservedTime: time };
    try {
      await client.patch(`${path}/${one.name}`, { series }, "merge");
      return one.name;
    } catch (error) {
      if (!isStatus(error, 404)) throw error; // It has run out: events live for an hour.
    }
  }
  const event = describe(one.condition, telling, namespace, time);
  await client.create(path, event);
  return event.metadata.name;
}

function describe(
  condition: Condition,
  { regarding, controller, instance, action }: Telling,
  namespace: string,
  time: string,
) {
  const digest = createHash("sha256")
    .update(`${nameOf(condition)} ${time}`)
    .digest("hex")
    .slice(0, 16);
  return {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: { name: `${regarding.name.slice(0, 200)}.${digest}`, namespace },
    eventTime: time,
    reportingController: controller,
    reportingInstance: instance.slice(0, 128),
    action,
    type: "Warning",
    reason: condition.reason,
    note: condition.note.slice(0, 1000),
    regarding,
  };
}
