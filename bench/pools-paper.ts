import type { PlannerResults } from "./pools-results.ts";
import { formatTable } from "./table.ts";

/** What is assumed: docs/scale.md says why. */
const assumed = {
  statusSeconds: 300,
  agentSeconds: 3600,
  page: 500,
  writesASecond: 300,
  etcdObject: 1.5 * 2 ** 20,
};

const clusters = [
  { nodes: 5000, pools: 4 },
  { nodes: 100_000, pools: 1 },
  { nodes: 100_000, pools: 4 },
];

/** 100,000 nodes on paper: sections of Markdown. */
export function describeStored({ sizes, growth }: PlannerResults): string[] {
  const { nodeBlock, annotation, managedField, nodeMetadata, statusRow } = sizes;
  const anothers = nodeMetadata - 3 * (annotation + managedField);
  const metadata = (pools: number) => anothers + (pools - 1) * (annotation + managedField);
  const largest = growth.at(-1);
  const cpu = largest ? (largest.read + largest.again) / largest.nodes : Number.NaN;
  const columns = clusters.map(({ nodes, pools }) => {
    const blocks = nodes * pools;
    return [
      mebi(blocks * nodeBlock),
      mebi(blocks * (annotation + managedField)),
      mebi(nodes * statusRow),
      (nodes / assumed.statusSeconds).toFixed(0),
      kibi((nodes / assumed.statusSeconds) * metadata(pools)),
      (blocks / assumed.agentSeconds).toFixed(1),
      kibi((blocks / assumed.agentSeconds) * nodeBlock),
      String(Math.ceil(nodes / assumed.page) + Math.ceil(blocks / assumed.page)),
      mebi(nodes * metadata(pools) + blocks * nodeBlock),
      `${((blocks * cpu) / 1000).toFixed(1)} s`,
      (blocks + nodes).toLocaleString("en-US"),
      `${Math.round((blocks + nodes) / assumed.writesASecond / 60)} min`,
    ];
  });
  const titles = [
    "etcd: NodeBlocks",
    "etcd: annotations, and what managedFields say of them",
    "… what one status with all allocations would be, a pool",
    "watch: Nodes' heartbeats a second, as metadata",
    "… bytes a second",
    "watch: agents' words on blocks a second",
    "… bytes a second",
    "start: pages that are listed",
    "… bytes",
    "… read and planned, on one core",
    "first dealing: writes",
    `… at ${assumed.writesASecond} a second, the goal`,
  ];
  return [
    "### On paper",
    formatTable(
      ["", ...clusters.map(({ nodes, pools }) => `${nodes.toLocaleString("en-US")} × ${pools}`)],
      titles.map((title, i) => [title, ...columns.map((column) => column[i])]),
    ),
    [
      `A NodeBlock is ${nodeBlock} bytes with its key, an annotation ${annotation} and ${managedField} more in managedFields, a Node's metadata ${metadata(1)} with one pool.`,
      `A status with all allocations has ${statusRow} bytes a node: at ${Math.floor(assumed.etcdObject / statusRow).toLocaleString("en-US")} nodes it no longer fits into etcd's 1.5 MiB.`,
    ].join("\n"),
  ];
}

function mebi(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

function kibi(bytes: number): string {
  return `${Math.round(bytes / 1024)} KiB`;
}
