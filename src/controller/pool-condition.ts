import { describeFaults } from "../api/fault-words.ts";
import type { PoolCondition } from "../api/pool-status.ts";
import { type Cluster, type PoolEntry, setBackCondition } from "./cluster.ts";
import { missingOf } from "./may-give.ts";
import { owns } from "./pool-pairs.ts";

/** Whether a pool does what it is for, as a person should read it. */
export type Verdict = { reason: string; message: string };

const fewNames = 5;

/** The first of what keeps it from giving blocks; "Valid" where nothing does. */
export function judgePool(cluster: Cluster, entry: PoolEntry): Verdict {
  const { record, unfit, pool, overlap, setBackAt, unplaced } = entry;
  if (record.deleting) return { reason: "Deleting", message: waitingFor(cluster, entry) };
  if (unfit) {
    const message = `${describeFaults(unfit.faults)}. Blocks that are given stay as they are`;
    return { reason: unfit.reason, message };
  }
  if (setBackAt !== undefined) {
    const at = new Date(setBackAt).toISOString();
    const message = `etcd was set back: run kubectl kube-node rebuild, then annotate this pool with ipam.kube-node.io/rebuilt=${at}; nothing is given until then`;
    return { reason: "NotRebuilt", message };
  }
  const served = cluster.pairs.served(entry.key);
  const hold = served && cluster.serving.holdOf(entry.key, served);
  if (hold) return hold;
  const missing = missingOf(entry);
  if (missing.length > 0) {
    const holders = [...new Set(missing.map((name) => entry.missing.get(name)?.node ?? ""))];
    const message = `${few(missing)} of ${few(holders)} have no NodeBlock: run kubectl kube-node rebuild; nothing is given until then`;
    return { reason: "NotRebuilt", message };
  }
  if (cluster.hasForeignBlocks(entry)) {
    const foreign = cluster.blocksOfPool(entry.key).filter((block) => !owns(record, block.pool.uid));
    const message = `NodeBlocks of an earlier pool of this name are not free yet: ${few(foreign.map(({ name }) => name))}; nothing is given until then`;
    return { reason: "Overlap", message };
  }
  if (overlap !== undefined) return { reason: "Overlap", message: overlap };
  if (unplaced.size > 0) {
    const reason = pool?.kind === "CIDRPool" ? "NoFreePrefixes" : "NoFreeRanges";
    return {
      reason,
      message: `${unplaced.size} Nodes got no block, as none is free for them: ${few([...unplaced.keys()])}`,
    };
  }
  if (cluster.serving.tooLargeAt.has(entry.key)) {
    const message = `its ${cluster.countBlocks(entry.key)} allocations are more than its status holds: readers of nv-ipam's status see those before; NodeBlocks and annotations go on`;
    return { reason: "StatusTooLarge", message };
  }
  return { reason: "Valid", message: "every Node that it selects has a block, or gets one now" };
}

function waitingFor(cluster: Cluster, { key }: PoolEntry): string {
  const nodes = [...new Set(cluster.blocksOfPool(key).map(({ nodeName }) => nodeName))].sort();
  if (nodes.length === 0) return "all its blocks are free";
  return `waits until the blocks of ${few(nodes)} are free`;
}

function few(names: readonly string[]): string {
  const more = names.length - fewNames;
  return `${names.slice(0, fewNames).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** The conditions to be written; a time stays as long as the status it is about. */
export function conditionsFor(entry: PoolEntry, { reason, message }: Verdict, now: Date): PoolCondition[] {
  const before = entry.record.status.conditions ?? [];
  const observedGeneration = entry.record.generation;
  const make = (type: string, status: "True" | "False", words: Verdict, since: Date): PoolCondition => {
    const known = before.find((one) => one.type === type && one.status === status);
    return {
      type,
      status,
      ...words,
      lastTransitionTime: known?.lastTransitionTime ?? since.toISOString(),
      observedGeneration,
    };
  };
  const ready = make(
    "Ready",
    reason === "Valid" ? "True" : "False",
    { reason, message: message.slice(0, 32_000) },
    now,
  );
  if (entry.setBackAt === undefined) return [ready];
  const words = { reason: "NotRebuilt", message: "etcd was set back to an earlier moment" };
  return [ready, make(setBackCondition, "True", words, new Date(entry.setBackAt))];
}
