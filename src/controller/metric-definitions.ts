import type { Definition } from "../daemon/metrics.ts";

const kind = "`IPPool` or `CIDRPool`";
const pool = "the pool's name";

/** Every metric of the controller's, in the order of the document. */
export const definitions = {
  blocks: {
    name: "kube_node_pool_blocks",
    type: "gauge",
    help: "Blocks of a pool.",
    labels: { kind, pool, state: "`total`, `given` (closing ones are among them), `closing` or `free`" },
  },
  addresses: {
    name: "kube_node_pool_addresses",
    type: "gauge",
    help: "Addresses for pods of a pool's given blocks: all, those that pods hold as the agents last said, and the others.",
    labels: { kind, pool, state: "`total`, `used` or `free`" },
  },
  ready: {
    name: "kube_node_pool_ready",
    type: "gauge",
    help: "1 where a pool gives blocks to all Nodes that it selects, else 0.",
    labels: { kind, pool, reason: "of its condition `Ready`" },
  },
  unplaced: {
    name: "kube_node_pool_unplaced_nodes",
    type: "gauge",
    help: "Nodes that a pool selects and has no block for.",
    labels: { kind, pool },
  },
  nodes: {
    name: "kube_node_controller_nodes",
    type: "gauge",
    help: "Nodes that are known.",
    labels: {},
  },
  reconciles: {
    name: "kube_node_controller_reconcile_seconds",
    type: "histogram",
    help: "From when something was to be looked at until that was done.",
    labels: { what: "`node` or `pool`" },
    buckets: [0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 15, 60],
  },
  queue: {
    name: "kube_node_controller_queue_length",
    type: "gauge",
    help: "What waits to be looked at.",
    labels: {},
  },
  failures: {
    name: "kube_node_controller_reconcile_failures_total",
    type: "counter",
    help: "Looks that failed, and come again after a pause.",
    labels: { what: "`node` or `pool`" },
  },
  retries: {
    name: "kube_node_controller_retries_total",
    type: "counter",
    help: "Writes that came too late and were computed anew.",
    labels: { reason: "`node-changed`: somebody wrote the Node meanwhile" },
  },
  writes: {
    name: "kube_node_controller_writes_total",
    type: "counter",
    help: "What was written.",
    labels: { what: "`block`, `annotation`, `closing`, `gone`, `delete`, `pool` or `allocations`" },
  },
  leader: {
    name: "kube_node_controller_leader",
    type: "gauge",
    help: "1 while this one leads (or there is no election), else 0.",
    labels: {},
  },
  events: {
    name: "kube_node_controller_events_total",
    type: "counter",
    help: "Events on pools and Nodes.",
    labels: {
      reason:
        "`InvalidSpec`, `GridMoved`, `NoFreeRanges`, `NoFreePrefixes`, `Overlap`, `NotRebuilt`, `OldController`, `DoubtfulAllocations`, `StatusTooLarge`, `ForeignValue`",
      result: "`sent` or `failed`",
    },
  },
  apiRequests: {
    name: "kube_node_controller_api_requests_total",
    type: "counter",
    help: "Requests to the API server.",
    labels: { verb: "`GET`, `LIST`, `WATCH`, `POST`, `PATCH`, …" },
  },
  apiErrors: {
    name: "kube_node_controller_api_errors_total",
    type: "counter",
    help: "Requests to the API server that failed.",
    labels: { verb: "as above", status: "the answer's, or `none` where none came" },
  },
  heard: {
    name: "kube_node_controller_watch_last_heard_seconds",
    type: "gauge",
    help: "How long ago a watch last heard of the API server.",
    labels: { what: "`nodes`, `ippools`, `cidrpools`, `nodeblocks`, `served ippools` or `served cidrpools`" },
  },
  servedHeld: {
    name: "kube_node_controller_served_group_held",
    type: "gauge",
    help: "1 while nv-ipam's pools are left alone, as its controller runs or that can't be known; else 0. Only with --serve-group.",
    labels: {},
  },
  doubts: {
    name: "kube_node_pool_doubtful_allocations",
    type: "gauge",
    help: "What the status of one of nv-ipam's pools says that can't be so; nothing is given out of the pool then.",
    labels: { kind, pool },
  },
  build: {
    name: "kube_node_controller_build_info",
    type: "gauge",
    help: "1, with what this is.",
    labels: { version: "the release", runtime: "`bun 1.4.5`" },
  },
} as const satisfies Record<string, Definition>;
