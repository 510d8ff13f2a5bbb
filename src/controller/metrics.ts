import type { MetricsOf } from "../daemon/metrics.ts";
import type { definitions } from "./metric-definitions.ts";

/** The controller's metrics, by the names that the sources have for them. */
export type Metrics = MetricsOf<typeof definitions>;
