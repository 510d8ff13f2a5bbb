import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { ApiError } from "../kube/api-error.ts";
import type { Client } from "../kube/client.ts";
import { type Definition, definitions } from "./metric-definitions.ts";

type Definitions = typeof definitions;
type Made<D extends Definition> = D["type"] extends "gauge"
  ? Gauge<Extract<keyof D["labels"], string>>
  : D["type"] extends "counter"
    ? Counter<Extract<keyof D["labels"], string>>
    : Histogram<Extract<keyof D["labels"], string>>;

/** The agent's metrics, by the names that the sources have for them. */
export type Metrics = { [Key in keyof Definitions]: Made<Definitions[Key]> };

const made = new WeakMap<Registry, Metrics>();

/** Made once for each registry, so that every part may ask. */
export function metricsIn(registry: Registry): Metrics {
  const known = made.get(registry);
  if (known) return known;
  const entries = Object.entries(definitions).map(([key, definition]) => [key, make(definition, registry)]);
  const metrics = Object.fromEntries(entries) as Metrics;
  made.set(registry, metrics);
  return metrics;
}

function make({ name, type, help, labels, buckets }: Definition, registry: Registry) {
  const given = { name, help, labelNames: Object.keys(labels), registers: [registry] };
  if (type === "gauge") return new Gauge(given);
  if (type === "counter") return new Counter(given);
  return new Histogram({ ...given, ...(buckets && { buckets: [...buckets] }) });
}

/** The same client; its requests and their failures are counted. Pages of a list count as one. */
export function countRequests(registry: Registry, client: Client): Client {
  const { apiRequests, apiErrors } = metricsIn(registry);
  async function count<T>(verb: string, request: Promise<T>): Promise<T> {
    apiRequests.inc({ verb });
    try {
      return await request;
    } catch (error) {
      if (error instanceof ApiError) apiErrors.inc({ verb, status: String(error.status ?? "none") });
      throw error;
    }
  }
  return {
    ...client,
    get: (path) => count("GET", client.get(path)),
    create: (path, body) => count("POST", client.create(path, body)),
    replace: (path, body) => count("PUT", client.replace(path, body)),
    patch: (path, body, type) => count("PATCH", client.patch(path, body, type)),
    remove: (path, body) => count("DELETE", client.remove(path, body)),
    list: (path, pick, options) => count("LIST", client.list(path, pick, options)),
    open: (path, signal) => count("WATCH", client.open(path, signal)),
  };
}
