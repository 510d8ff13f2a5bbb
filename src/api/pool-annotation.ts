/**
 * What a Node's annotation `ippool.ipam.kube-node.io/NAME` (or `cidrpool.…`) says: written by the controller from NodeBlocks, read by the
 * plugin and the agent. JSON of this shape.
 */
export type PoolAnnotation = {
  version: 1;
  /** The Node's UID: on a Node made again under its name, another one's annotation counts for nothing. */
  nodeUID: string;
  /** Seconds that its ranges may be used without a word of the API server: less than `blockReleaseDelay`. */
  holdsFor: number;
  /** In the order in which addresses are given. */
  blocks: PoolAnnotationBlock[];
  /** Networks that pods reach through the block's gateway. */
  routes?: { dst: string }[];
  /** The block's gateway is the pods' default gateway. */
  defaultGateway?: true;
};

export type PoolAnnotationBlock = {
  /** The NodeBlock's name: `ippool.a.3`. */
  name: string;
  /** The network whose prefix length pods get: the IPPool's subnet, or the node's own of a CIDRPool. */
  subnet: string;
  /** Addresses for pods, `FIRST-LAST`, ascending: exclusions and reserved ones are left out, the gateway's isn't. */
  ranges: string[];
  gateway?: string;
  /** Pods get no addresses of it any more; those that have some keep them. */
  closing?: true;
};
