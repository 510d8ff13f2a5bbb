import type { Cidr } from "../address/cidr.ts";
import type { Ip } from "../address/ip.ts";
import type { Run } from "../address/runs.ts";
import type { PoolReference } from "../api/pool-names.ts";
import type { Grid } from "./grid.ts";

/** An IPPool or a CIDRPool whose spec is good, read once: what a planner and a projection ask it. */
export type Pool = PoolReference & {
  uid: string;
  /** The IPPool's subnet, or the network that a CIDRPool is cut from; without host bits. */
  network: Cidr;
  grid: Grid;
  /** The addresses that blocks may reach to: an IPPool's are without the subnet's own and IPv4's broadcast address. */
  inside: Run;
  /** Addresses that no pod gets, as numbers: ascending, none touching another. */
  excluded: Run[];
  /** Places in a block of the grid that pods may get, counted from its first address; see `placesIn`. */
  usable: Run[];
  /** The same in a block of another size, as only a pool that was made again under its name has them. */
  placesIn(size: bigint): Run[];
  gateway: GatewayRule;
  /** Blocks that are one node's, or (without a name) nobody's: index → what a CIDRPool's staticAllocations say of it. */
  statics: Map<bigint, StaticBlock>;
  /** The other way round: a node's name → the index that is kept for it. */
  staticOf: Map<string, bigint>;
  routes: { dst: string }[];
  defaultGateway: boolean;
  /** Seconds that a node uses its blocks without a word of the API server. */
  holdsFor: number;
  /** Seconds after which the block of a Node that is gone is free. */
  releaseDelay: number;
  allowOverlap: boolean;
  selects: NodePredicate;
};

/** One address for all nodes, a place within each node's own network, or none. */
export type GatewayRule = { at: "address"; ip: Ip } | { at: "index"; index: bigint } | { at: "nowhere" };

export type StaticBlock = { nodeName?: string; gateway?: Ip };

/** What of a Node decides about its blocks. */
export type PoolNode = { name: string; uid: string; labels: Readonly<Record<string, string>> };

export type NodePredicate = (node: Pick<PoolNode, "name" | "labels">) => boolean;
