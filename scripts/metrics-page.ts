import { definitions } from "../src/agent/metric-definitions.ts";
import { definitions as controllers } from "../src/controller/metric-definitions.ts";
import type { Definition } from "../src/daemon/metrics.ts";

/** docs/metrics.md: each metric with its type, its labels and what it says. */
export function formatMetricsPage(): string {
  return `# Metrics

Served at \`/metrics\` of \`--metrics-address\`, as they are when they are asked for. This page is made of
src/agent/metric-definitions.ts and src/controller/metric-definitions.ts by \`node scripts/make-metrics-page.ts\`.

# kube-node-agent

${formatAll(definitions)}
# kube-node-controller

${formatAll(controllers)}`;
}

function formatAll(all: Readonly<Record<string, Definition>>): string {
  return Object.values(all).map(formatMetric).join("\n");
}

function formatMetric({ name, type, help, labels, buckets }: Definition): string {
  const rows = Object.entries(labels).map(([label, says]) => `- \`${label}\`: ${says}\n`);
  const limits = buckets ? `Buckets, in seconds: ${buckets.join(", ")}.\n` : "";
  return `## ${name}\n${type[0]?.toUpperCase()}${type.slice(1)}. ${help}\n${limits}${rows.length > 0 ? `\n${rows.join("")}` : ""}`;
}
