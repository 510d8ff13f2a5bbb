import type { PoolKind } from "./pool-kind.ts";

/**
 * `NodeBlock` (ipam.kube-node.io/v1alpha1, cluster-scoped): one place on a pool's grid, claimed for one Node by being created. Addresses are
 * canonical text; an index is a decimal number of any length, and so a string.
 */
export type NodeBlock = {
  apiVersion: string;
  kind: "NodeBlock";
  metadata: { name: string; uid?: string; resourceVersion?: string; creationTimestamp?: string };
  spec: NodeBlockSpec;
  status?: NodeBlockStatus;
};

export type NodeBlockSpec = {
  pool: { kind: PoolKind; name: string; uid: string };
  index: string;
  /** All its addresses, both ends included, exclusions too. */
  first: string;
  last: string;
  /** The Node that it is for: a Node made again under that name is another one. */
  nodeName: string;
  nodeUID: string;
  /** To be given back: no pod gets an address of it any more. Once true, it stays so. */
  closing?: boolean;
};

/** Written by the node's agent, seldom; but for `nodeGoneAt`, which is the controller's. */
export type NodeBlockStatus = {
  /** Addresses that pods hold. */
  used?: number;
  /** Of a closing block: the agent saw it closing for longer than any call lives, and nothing is leased out of it. */
  drained?: boolean;
  /** When the agent wrote this (RFC 3339). */
  seenAt?: string;
  /** Since when its Node (by UID) is known to be gone; unset again where it came back. */
  nodeGoneAt?: string;
};
