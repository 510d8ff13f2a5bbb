import { nvIpamGroup, nvIpamVersion } from "../api/nv-ipam.ts";
import { poolApiVersion, poolKey } from "../api/pool-names.ts";
import { type AllSeries, type Condition, plan, type Rate, type Series } from "../daemon/event-series.ts";
import type { Part } from "../daemon/part.ts";
import { sendEvent, type Telling } from "../daemon/send-event.ts";
import type { Log } from "../host/log.ts";
import type { Client } from "../kube/client.ts";
import type { Metrics } from "./metrics.ts";
import type { Verdict } from "./pool-condition.ts";
import type { NodeRecord, PoolRecord } from "./records.ts";

/** Tells the cluster what a person should do something about. Never throws, never waits. */
export type Events = {
  /** How a pool stands now. */
  pool(record: PoolRecord, verdict: Verdict): void;
  /** Somebody else wrote our annotation of a Node. */
  foreignValue(node: NodeRecord, manager: string): void;
  poolGone(key: string): void;
  part: Part;
};

type Told = Condition & { regarding: Telling["regarding"] };

const worthTelling = [
  ...["InvalidSpec", "GridMoved", "NoFreeRanges", "NoFreePrefixes", "Overlap", "NotRebuilt"],
  ...["OldController", "DoubtfulAllocations", "StatusTooLarge"],
];
const limit: Rate = { between: 10 * 60_000, anHour: 300 };
const everyMs = 1000;

type Needs = { client: Client; log: Log; metrics: Metrics; identity: string };

/** Each condition of each pool is one series of events, looked at every second. */
export function makeEvents({ client, log, metrics, identity }: Needs): Events {
  const current = new Map<string, Told>();
  let series: AllSeries<Told> = new Map();
  let told: number[] = [];
  let sending: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    sending = sending.then(tell);
  }, everyMs);

  async function tell(): Promise<void> {
    const now = performance.now();
    const planned = plan(series, [...current.values()], told, now, limit);
    series = planned.series;
    for (const key of [...current.keys()].filter((one) => one.startsWith("node/"))) current.delete(key);
    told = [...told.filter((at) => now - at < 60 * 60_000), ...planned.due.map(() => now)];
    for (const one of planned.due) await send(one, now);
  }

  async function send(one: Series<Told>, now: number): Promise<void> {
    const { reason, regarding } = one.condition;
    one.toldAt = now; // One that fails isn't tried every second either.
    try {
      const telling = { controller: "kube-node.io/controller", instance: identity, action: "GiveBlocks" };
      one.name = await sendEvent(client, one, { ...telling, regarding });
      metrics.events.inc({ reason, result: "sent" });
    } catch (error) {
      metrics.events.inc({ reason, result: "failed" });
      log.warn("an event can't be sent", { reason, failure: (error as Error).message });
    }
  }

  return {
    pool: ({ kind, name, uid, served }, { reason, message }) => {
      const key = poolKey({ kind, name });
      if (!worthTelling.includes(reason)) current.delete(key);
      else {
        const apiVersion = served ? `${nvIpamGroup}/${nvIpamVersion}` : poolApiVersion;
        const regarding = { apiVersion, kind, name, uid, ...(served && { namespace: served.namespace }) };
        if (current.get(key)?.reason !== reason)
          log.warn("a pool is not as it should be", { pool: key, reason, message });
        current.set(key, { reason, key, note: message, regarding });
      }
    },
    foreignValue: ({ name, uid }, manager) => {
      const note = `${manager} wrote an annotation of kube-node-controller's: it was put right`;
      const regarding = { apiVersion: "v1", kind: "Node", name, uid };
      current.set(`node/${name}`, { reason: "ForeignValue", key: name, note, regarding });
    },
    poolGone: (key) => void current.delete(key),
    part: {
      name: "events",
      stop: async () => {
        clearInterval(timer);
        await sending;
      },
      health: () => ({ live: true, ready: true, words: `${current.size} things to tell of` }),
    },
  };
}
