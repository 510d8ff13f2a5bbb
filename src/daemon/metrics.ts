import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { ApiError } from "../kube/api-error.ts";
import type { Client } from "../kube/client.ts";

/** A metric as it is served and as docs/metrics.md tells of it. Names end in their unit, as Prometheus wants it. */
export type Definition = {
  name: string;
  type: "gauge" | "counter" | "histogram";
  help: string;
  labels: Readonly<Record<string, string>>;
  buckets?: readonly number[];
};

type Made<D extends Definition> = D["type"] extends "gauge"
  ? Gauge<Extract<keyof D["labels"], string>>
  : D["type"] extends "counter"
    ? Counter<Extract<keyof D["labels"], string>>
    : Histogram<Extract<keyof D["labels"], string>>;

/** A program's metrics, by the names that its definitions have for them. */
export type MetricsOf<D extends Record<string, Definition>> = { [Key in keyof D]: Made<D[Key]> };

export function makeMetrics<D extends Record<string, Definition>>(
  definitions: D,
  registry: Registry,
): MetricsOf<D> {
  const entries = Object.entries(definitions).map(([key, definition]) => [key, make(definition, registry)]);
  return Object.fromEntries(entries) as MetricsOf<D>;
}

function make({ name, type, help, labels, buckets }: Definition, registry: Registry) {
  const given = { name, help, labelNames: Object.keys(labels), registers: [registry] };
  if (type === "gauge") return new Gauge(given);
  if (type === "counter") return new Counter(given);
  return new Histogram({ ...given, ...(buckets && { buckets: [...buckets] }) });
}

/** What requests are counted by. `failed`: the answer's status, or "none" where none came. */
export type RequestCount = { asked(verb: string): void; failed(verb: string, status: string): void };

/** The same client; its requests and their failures are counted. Pages of a list count as one. */
export function countRequests({ asked, failed }: RequestCount, client: Client): Client {
  async function count<T>(verb: string, request: Promise<T>): Promise<T> {
    asked(verb);
    try {
      return await request;
    } catch (error) {
      if (error instanceof ApiError) failed(verb, String(error.status ?? "none"));
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
