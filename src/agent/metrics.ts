import type { Registry } from "prom-client";
import { countRequests as count, type MetricsOf, makeMetrics } from "../daemon/metrics.ts";
import type { Client } from "../kube/client.ts";
import { definitions } from "./metric-definitions.ts";

/** The agent's metrics, by the names that the sources have for them. */
export type Metrics = MetricsOf<typeof definitions>;

const made = new WeakMap<Registry, Metrics>();

/** Made once for each registry, so that every part may ask. */
export function metricsIn(registry: Registry): Metrics {
  const known = made.get(registry);
  if (known) return known;
  const metrics = makeMetrics(definitions, registry);
  made.set(registry, metrics);
  return metrics;
}

/** The same client; its requests and their failures are counted. */
export function countRequests(registry: Registry, client: Client): Client {
  const { apiRequests, apiErrors } = metricsIn(registry);
  return count(
    {
      asked: (verb) => apiRequests.inc({ verb }),
      failed: (verb, status) => apiErrors.inc({ verb, status }),
    },
    client,
  );
}
