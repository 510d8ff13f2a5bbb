import type { Results } from "./results.ts";

/** What `bench -- pools` found, as it stands in _output/bench-pools.json; each part is of its own run. Times are milliseconds. */
export type PoolResults = { planner?: Run & PlannerResults; cluster?: Run & ClusterResults };

/** When and on what a part was measured. */
export type Run = { date: string; runtime: string; machine: Results["machine"] };

/** The controller on a real API server. */
export type ClusterResults = {
  nodes: number;
  /** Given a block and annotated, for one pool. */
  nodesASecond: number;
  /** Requests for that. */
  requestsANode: number;
  /** One Node more: milliseconds until it has its annotation. */
  joined: { p50: number; p99: number };
  /** Looks at a Node for each heartbeat. */
  reconcilesABeat: number;
  /** MiB with four pools. */
  memory: Memory;
  restart: { ms: number; writes: number; requests: Record<string, number>; memory: Memory };
};

type Memory = { now: number; peak: number };

export type PlannerResults = {
  /** From nothing: so many nodes, each with a block of so many pools. */
  goals: { nodes: number; pools: number; ms: number; limit: number }[];
  growth: GrowthRow[];
  sizes: StoredSizes;
};

/** One pool of 2^64 blocks with so many nodes. */
export type GrowthRow = {
  nodes: number;
  /** Planning from nothing. */
  full: number;
  /** Planning with a block for each node, which finds nothing to do: a start. */
  again: number;
  /** NodeBlocks from JSON to what a planner takes. */
  read: number;
  /** One node more: selected, placed, its NodeBlock and its annotation as JSON. */
  oneMore: { p50: number; p99: number };
  /** The index alone: one placed, one given back. */
  placed: number;
};

/** Bytes of JSON, as etcd has an object of ours; see docs/scale.md. */
export type StoredSizes = {
  nodeBlock: number;
  /** An annotation's key and value, by how many blocks it carries. */
  annotation: number;
  /** What a Node's managedFields say of one annotation. */
  managedField: number;
  /** A Node as a watch of metadata sends it, with four pools' annotations. */
  nodeMetadata: number;
  /** What nv-ipam's pool has in its one status for each node. */
  statusRow: number;
};
