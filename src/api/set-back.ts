import type { PoolStatus } from "./pool-status.ts";

/** The pool's annotation by which a person says that NodeBlocks lost by a restore of etcd are there again: when that was (RFC 3339). */
export const rebuiltKey = "ipam.kube-node.io/rebuilt";

/** Type of the condition that outlives the controller: etcd was set back, and nobody said yet that everything lost is rebuilt. */
export const setBackCondition = "SetBack";

/** Milliseconds since 1970, as the pool's status has it; undefined where it wasn't, or is rebuilt. */
export function setBackTime({ conditions = [] }: PoolStatus): number | undefined {
  const condition = conditions.find(({ type, status }) => type === setBackCondition && status === "True");
  return condition && Date.parse(condition.lastTransitionTime);
}
