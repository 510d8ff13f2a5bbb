import { isDeepStrictEqual } from "node:util";
import { excludedForPodsKey, type NvPool, nvIpamLease } from "../api/nv-ipam.ts";
import { controllerName, poolAnnotationKey, poolKey } from "../api/pool-names.ts";
import { excludePods, type PodExclusions } from "../move/exclude-pods.ts";
import { isMarked, type PoolReturn, planReturn } from "../move/plan-return.ts";
import { findLeaseHolder, type LeaseHolder } from "./lease-holder.ts";
import { removeOurs, returnPool, writeExclusions } from "./migrate-back-write.ts";
import { type MigrationCluster, nameOfPool, readMigrationCluster } from "./migrate-cluster.ts";
import { attempt, count, type Migration, type Step } from "./migrate-flags.ts";

export type LookBack = {
  cluster: MigrationCluster;
  pools: PoolReturn[];
  nvHolder: LeaseHolder | undefined;
  ownHolder: LeaseHolder | undefined;
};

/** Leases first: NodeBlocks that are read after our controller was seen to be gone are its last word. */
export async function lookBack({ client, shell, flags }: Migration): Promise<LookBack> {
  const ownHolder = await findLeaseHolder(client, controllerName, shell.progress);
  const nvHolder = await findLeaseHolder(client, nvIpamLease, shell.progress);
  const cluster = await readMigrationCluster(client);
  return { cluster, pools: planReturns(cluster, flags.namespace), nvHolder, ownHolder };
}

/** Pools of which something is ours still. */
function planReturns(cluster: MigrationCluster, namespace: string): PoolReturn[] {
  const theirs = (cluster.nv ?? []).filter((one) => one.namespace === namespace);
  const nv = new Map(theirs.map((one) => [poolKey(one), one]));
  const own = new Map(cluster.own.map((one) => [poolKey(one), one]));
  const { nodes, blocks } = cluster;
  const pools = [...new Set([...nv.keys(), ...own.keys()])].sort();
  return pools.flatMap((key) => {
    const plan = planReturn({ nv: nv.get(key), own: own.get(key), namespace, nodes, blocks });
    return plan && isOursStill(plan, cluster) ? [plan] : [];
  });
}

function isOursStill({ nv, own, blocks }: PoolReturn, { nodes }: MigrationCluster): boolean {
  if (own || blocks.length > 0 || !nv || isMarked(nv)) return true;
  if (nv.annotations[excludedForPodsKey] !== undefined) return true;
  const key = poolAnnotationKey(nv);
  return [...nodes.values()].some(({ annotations }) => annotations[key] !== undefined);
}

export async function moveBack(
  migration: Migration,
  first: LookBack,
): Promise<{ steps: Step[]; look: LookBack }> {
  const stopped = checkStopped(first);
  const returned = await returnAll(migration, first);
  const look = migration.flags.dryRun === "none" ? await lookBack(migration) : first;
  const excluded = await excludeAll(migration, look);
  const again = migration.flags.dryRun === "none" ? await lookBack(migration) : look;
  const finished = await finish(migration, again, excluded);
  return { steps: [stopped, returned, excluded, checkNodes(again), finished], look: again };
}

/** Pods that got their address from us are in no store of nv-ipam's. */
async function excludeAll(migration: Migration, look: LookBack): Promise<Step> {
  const title = "addresses of living pods are excluded from being given again";
  const all = clear(look).flatMap(({ nv, pool, readable }) => {
    return nv && pool ? [{ nv, wanted: excludePods(nv, pool, readable, look.cluster.pods) }] : [];
  });
  const full = all.flatMap(({ wanted }) =>
    wanted.full.map(
      (name) =>
        `${name}: every address of it has a pod, and nv-ipam would take the block away: delete a pod first`,
    ),
  );
  const left = all.filter(({ nv, wanted }) => wanted.full.length === 0 && !isExcluded(nv, wanted));
  const what = `${count(all.flatMap(({ wanted }) => wanted.forPods).length, "exclusion")}: run this again once pods have ended, and they go`;
  const undone = full.length > 0 || clear(look).some(({ nv }) => !nv) ? ("waits" as const) : undefined;
  if (migration.flags.dryRun === "client")
    return { title, state: undone ?? (left.length > 0 ? "to do" : "done"), words: [what, ...full] };
  const faults = await attempt(
    left,
    ({ nv }) => nameOfPool(nv),
    ({ nv, wanted }) => writeExclusions(migration.client, nv, wanted),
  );
  return {
    title,
    state: faults.length > 0 ? "failed" : (undone ?? "done"),
    words: [...faults, what, ...full],
  };
}

function isExcluded({ annotations, spec }: NvPool, { all, forPods }: PodExclusions): boolean {
  const mark = annotations[excludedForPodsKey] ?? "[]";
  return mark === JSON.stringify(forPods) && isDeepStrictEqual(spec["exclusions"] ?? [], all);
}

function checkStopped({ ownHolder }: LookBack): Step {
  const title = "kube-node-controller is stopped";
  if (!ownHolder) return { title, state: "done", words: [] };
  const { namespace, holder } = ownHolder;
  const words = `${holder} holds the Lease ${namespace}/${controllerName}: kubectl -n ${namespace} scale deployment kube-node-controller --replicas=0; nodes go on with the blocks that they have`;
  return { title, state: "waits", words: [words] };
}

function clear({ pools }: LookBack): PoolReturn[] {
  return pools.filter(({ doubts }) => doubts.length === 0);
}

function isLeft({ object, missing }: PoolReturn): boolean {
  return object !== undefined || missing.length > 0;
}

async function returnAll(migration: Migration, look: LookBack): Promise<Step> {
  const title = "nv-ipam's objects are there, and their status has all NodeBlocks";
  const pools = clear(look);
  const left = pools.filter(isLeft);
  const doubtful = look.pools.length - pools.length;
  const omitted =
    doubtful === 0 ? [] : [`${count(doubtful, "pool")} left out: settle the doubts, and run this again`];
  if (left.length === 0) return { title, state: "done", words: omitted };
  const waits = whyNotYet(look, left);
  if (waits !== undefined) return { title, state: "waits", words: [waits, ...omitted] };
  const made = left.filter(({ object }) => object).length;
  const said = left.flatMap(({ missing }) => missing).length;
  const what = `${count(made, "object")} ${made === 1 ? "is" : "are"} made, ${count(said, "allocation")} written`;
  if (migration.flags.dryRun === "client") return { title, state: "to do", words: [what, ...omitted] };
  const faults = await attempt(left, nameOf, (one) => returnPool(migration.client, one));
  const words = faults.length > 0 ? faults : [what];
  return { title, state: faults.length > 0 ? "failed" : "done", words: [...words, ...omitted] };
}

function whyNotYet({ ownHolder, nvHolder, cluster }: LookBack, left: PoolReturn[]): string | undefined {
  if (ownHolder) return "kube-node-controller has to be stopped first";
  if (nvHolder)
    return `${nvHolder.holder} runs without knowing these blocks, and may give them to others: stop nv-ipam's controller first`;
  if (!cluster.nv && left.some(({ object }) => object))
    return "this cluster doesn't know nv-ipam's kinds: apply its CustomResourceDefinitions first";
  return undefined;
}

function nameOf({ nv, own }: PoolReturn): string {
  const pool = nv ?? own;
  return pool ? nameOfPool(pool) : "";
}

function checkNodes({ nvHolder }: LookBack): Step {
  return {
    title: "nv-ipam's controller and its daemon run again",
    state: nvHolder ? "done" : "waits",
    words: [
      "in this order: kube-node's nv-ipam is taken from the nodes, this command once more for pods that came since, nv-ipam's daemon, its controller",
    ],
  };
}

async function finish(migration: Migration, look: LookBack, excluded: Step): Promise<Step> {
  const title = "annotations of Nodes, NodeBlocks and our objects are gone";
  const pools = clear(look);
  if (look.pools.length === 0) return { title, state: "done", words: [] };
  if (!migration.flags.finish)
    return {
      title,
      state: "later",
      words: [
        `${count(pools.length, "pool")} until --finish: once pods get their addresses from nv-ipam on every node`,
      ],
    };
  if (look.ownHolder)
    return { title, state: "waits", words: ["kube-node-controller has to be stopped first"] };
  if (excluded.state === "failed" || excluded.state === "waits")
    return { title, state: "waits", words: ["addresses of living pods have to be excluded first"] };
  const unsaid = pools
    .filter(isLeft)
    .map((one) => `${nameOf(one)}: nv-ipam's status doesn't have all its blocks`);
  const ready = pools.filter((one) => !isLeft(one));
  if (migration.flags.dryRun === "client")
    return {
      title,
      state: unsaid.length > 0 ? "waits" : "to do",
      words: [`${count(ready.length, "pool")} to be cleaned`, ...unsaid],
    };
  const nodes = [...look.cluster.nodes.values()];
  const faults = await attempt(ready, nameOf, (one) => removeOurs(migration.client, one, nodes));
  const words = [...faults, ...unsaid, `${count(ready.length - faults.length, "pool")} cleaned`];
  return { title, state: faults.length > 0 ? "failed" : unsaid.length > 0 ? "waits" : "done", words };
}
