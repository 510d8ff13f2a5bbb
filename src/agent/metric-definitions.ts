import type { Definition } from "../daemon/metrics.ts";

const network = "name of the CNI network";
const source = "`spec.podCIDRs`, `annotation KEY`, or `records` where no configuration tells of the network";

/** Every metric of the agent's, in the order of the document. */
export const definitions = {
  addresses: {
    name: "kube_node_addresses",
    type: "gauge",
    help: "Addresses of a range: what host-local can give out of it, what is leased, what is left.",
    labels: {
      network,
      source,
      range: "`10.1.0.0/24`, or `10.1.0.10-10.1.0.99/24` where it has ends of its own",
      family: "`IPv4` or `IPv6`",
      state: "`total`, `used` or `free`",
    },
  },
  utilization: {
    name: "kube_node_address_utilization_ratio",
    type: "gauge",
    help: "Used addresses of a range, as a part of all of them (0 to 1).",
    labels: { network, source, range: "as above", family: "as above" },
  },
  ranges: {
    name: "kube_node_ranges_info",
    type: "gauge",
    help: "1 for where a network's ranges come from now.",
    labels: {
      network,
      source,
      from: "`node`: as the watch has it; `last-known`: what the plugin kept, the Node not being known; `records`: no configuration tells of the network; `none`; `malformed`",
    },
  },
  rangesAge: {
    name: "kube_node_ranges_age_seconds",
    type: "gauge",
    help: "How long ago the API server last confirmed a network's ranges, or gave them for the last time.",
    labels: { network, source },
  },
  attachments: {
    name: "kube_node_attachments",
    type: "gauge",
    help: "Attachments (a container's interface in a network) by what is known of their life, as of the last look for leaks.",
    labels: { network, state: "`live`, `dead` or `unknown`" },
  },
  leaks: {
    name: "kube_node_leaks",
    type: "gauge",
    help: "Leaks that are there, as of the last look.",
    labels: {
      network,
      kind: "as `kube-node audit` names them: `dead`, `no-namespace`, `lease-without-record`, …",
      freeable: "`true`: it is freed after the grace period; `false`: nothing proves that it may go",
    },
  },
  leaksFound: {
    name: "kube_node_leaks_found_total",
    type: "counter",
    help: "Leaks that were found for the first time.",
    labels: { network, kind: "as above" },
  },
  leaksFreed: {
    name: "kube_node_leaks_freed_total",
    type: "counter",
    help: "Leaks that were freed by the plugin's DEL, or could not be.",
    labels: { network, kind: "as above", result: "`freed` or `failed`" },
  },
  looks: {
    name: "kube_node_leak_looks_total",
    type: "counter",
    help: "Looks for leaks.",
    labels: { result: "`complete`, `partial` (a network can't be read) or `failed`" },
  },
  lastLook: {
    name: "kube_node_leak_look_timestamp_seconds",
    type: "gauge",
    help: "When leaks were last looked for, in Unix time.",
    labels: {},
  },
  moveInDoubts: {
    name: "kube_node_move_in_doubts",
    type: "gauge",
    help: "Leases in nv-ipam's store that were not taken over, since something speaks against them. Nobody gets their addresses.",
    labels: { network },
  },
  movedIn: {
    name: "kube_node_moved_in_total",
    type: "counter",
    help: "Leases in nv-ipam's store by what became of them.",
    labels: {
      network,
      outcome:
        "`taken`, `there`, `ended` (its pod is gone), `elsewhere` (in another network) or `waits` (for a block)",
    },
  },
  evidence: {
    name: "kube_node_leak_evidence",
    type: "gauge",
    help: "1 where this kind of evidence of who lives was there at the last look, else 0. Namespaces: 0 where one that is missed would be out of sight.",
    labels: { kind: "`namespaces`, `pods` or `sandboxes`" },
  },
  pluginCalls: {
    name: "kube_node_plugin_call_seconds",
    type: "histogram",
    help: "Calls of the plugin by its runtime: how many, and how long each took.",
    labels: { verb: "`ADD`, `DEL`, `CHECK`, `GC`, `STATUS`", result: "`ok`, or the CNI error's code" },
    buckets: [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 15],
  },
  apiRequests: {
    name: "kube_node_api_requests_total",
    type: "counter",
    help: "Requests to the API server.",
    labels: { verb: "`GET`, `LIST`, `WATCH`, `POST`, `PATCH`, …" },
  },
  apiErrors: {
    name: "kube_node_api_errors_total",
    type: "counter",
    help: "Requests to the API server that failed.",
    labels: { verb: "as above", status: "the answer's, or `none` where none came" },
  },
  connected: {
    name: "kube_node_api_connected",
    type: "gauge",
    help: "1 while the plugin may trust the agent's word: the API server was heard within 15 seconds.",
    labels: {},
  },
  lastHeard: {
    name: "kube_node_api_last_heard_seconds",
    type: "gauge",
    help: "How long ago the API server was last heard.",
    labels: {},
  },
  events: {
    name: "kube_node_events_total",
    type: "counter",
    help: "Events on the Node.",
    labels: {
      reason: "`RangesMalformed`, `RangeNearlyFull`, `RangeFull`",
      result: "`sent`, `failed` or `held`",
    },
  },
  build: {
    name: "kube_node_build_info",
    type: "gauge",
    help: "1, with what this is.",
    labels: { version: "the release", runtime: "`bun 1.4.5`" },
  },
} as const satisfies Record<string, Definition>;
