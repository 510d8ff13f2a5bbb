import { definitions } from "../src/agent/metric-definitions.ts";
import type { Definition } from "../src/daemon/metrics.ts";

/** docs/metrics.md: each metric with its type, its labels and what it says. */
export function formatMetricsPage(): string {
  const all: Definition[] = Object.values(definitions);
  return `# Metrics of kube-node-agent

Served at \`/metrics\` of \`--metrics-address\`, as they are when they are asked for. This page is made of
src/agent/metric-definitions.ts by \`node scripts/make-metrics-page.ts\`.

${all.map(formatMetric).join("\n")}`;
}

function formatMetric({ name, type, help, labels, buckets }: Definition): string {
  const rows = Object.entries(labels).map(([label, says]) => `- \`${label}\`: ${says}\n`);
  const limits = buckets ? `Buckets, in seconds: ${buckets.join(", ")}.\n` : "";
  return `## ${name}\n${type[0]?.toUpperCase()}${type.slice(1)}. ${help}\n${limits}${rows.length > 0 ? `\n${rows.join("")}` : ""}`;
}
