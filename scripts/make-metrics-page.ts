// Writes docs/metrics.md from the agent's definitions: `node scripts/make-metrics-page.ts`. A test holds the two together.
import { writeFileSync } from "node:fs";
import { formatMetricsPage } from "./metrics-page.ts";

writeFileSync(new URL("../docs/metrics.md", import.meta.url), formatMetricsPage());
