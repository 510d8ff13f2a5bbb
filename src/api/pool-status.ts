/** What the controller says of a pool. Counts may have more digits than a number holds, and are decimal text then. */
export type PoolStatus = {
  observedGeneration?: number;
  /** Frozen before the first block is given. `first` is the first address of block 0, `size` the addresses of each block. */
  grid?: { first: string; size: string };
  conditions?: PoolCondition[];
  blocks?: { total: string; given: number; closing: number; free: string };
  /** Of the given blocks' addresses for pods; `used` as the agents last said. */
  addresses?: { total: string; used: number; free: string };
};

/** metav1.Condition; the one type so far is `Ready`. */
export type PoolCondition = {
  type: string;
  status: "True" | "False" | "Unknown";
  /** A word of the union, for programs: Valid, InvalidSpec, NoFreeRanges, NoFreePrefixes, Overlap, Deleting, GridMoved, NotRebuilt. */
  reason: string;
  message: string;
  lastTransitionTime: string;
  observedGeneration?: number;
};
