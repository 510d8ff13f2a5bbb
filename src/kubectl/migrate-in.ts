import {
  nvIpamGroup,
  nvIpamLease,
  nvPoolPath,
  poolFinalizer,
  poolGridKey,
  uidsOfPool,
} from "../api/nv-ipam.ts";
import { controllerName, poolAnnotationKey } from "../api/pool-names.ts";
import type { OwnObject } from "../move/own-object.ts";
import type { PoolClaims } from "../move/plan-claims.ts";
import { type MovePlan, planMove } from "../move/plan-move.ts";
import { findLeaseHolder, type LeaseHolder } from "./lease-holder.ts";
import { type MigrationCluster, nameOfPool, readMigrationCluster } from "./migrate-cluster.ts";
import { attempt, count, type Migration, type Step } from "./migrate-flags.ts";
import { claimPool, deletePool, makeOwnObject } from "./migrate-write.ts";
import { deploymentOf, describeStop, stopController } from "./nv-controller.ts";

/** What there is, and what follows from it. */
export type LookIn = {
  cluster: MigrationCluster;
  plan: MovePlan;
  nvHolder: LeaseHolder | undefined;
  ownHolder: LeaseHolder | undefined;
};

/** Leases first: objects that are read after nv-ipam's controller was seen to be gone are its last word. */
export async function lookIn({ client, shell, flags }: Migration): Promise<LookIn> {
  const nvHolder = await findLeaseHolder(client, nvIpamLease, shell.progress);
  const ownHolder = await findLeaseHolder(client, controllerName, shell.progress);
  const cluster = await readMigrationCluster(client);
  return {
    cluster,
    plan: planMove(cluster.nv ?? [], flags.namespace, cluster, cluster.networks),
    nvHolder,
    ownHolder,
  };
}

/** All steps in their order. Each looks at what is there, does what is left of it, and says how it stands. */
export async function moveIn(migration: Migration, first: LookIn): Promise<{ steps: Step[]; look: LookIn }> {
  const { toGroup } = migration.flags;
  const stopped = await stopTheirs(migration, first);
  let look = stopped.state === "done" && first.nvHolder ? await lookIn(migration) : first;
  const claimed = await claimAll(migration, look);
  if (isWriting(migration)) look = await lookIn(migration);
  const steps = [stopped, claimed, checkServed(look), checkNodes(look), checkNetworks(look)];
  if (!toGroup) return { steps, look };
  const made = await makeOwnObjects(migration, look, claimed);
  if (isWriting(migration)) look = await lookIn(migration);
  const finished = await deleteTheirs(migration, look, made);
  steps.splice(2, 1, checkServed(look));
  return { steps: [...steps, made, finished], look };
}

function isWriting({ flags }: Migration): boolean {
  return flags.dryRun === "none";
}

async function stopTheirs(migration: Migration, { nvHolder }: LookIn): Promise<Step> {
  const title = "nv-ipam's controller is stopped";
  const { client, shell, flags } = migration;
  if (!nvHolder) return { title, state: "done", words: [] };
  if (!flags.stopController)
    return { title, state: "waits", words: [describeStop(nvHolder, await deploymentOf(client, nvHolder))] };
  if (!isWriting(migration)) return { title, state: "to do", words: [`${nvHolder.holder} holds its Lease`] };
  const faults = await attempt(
    [nvHolder],
    () => "--stop-controller",
    () => stopController(client, nvHolder, shell.progress),
  );
  return { title, state: faults.length > 0 ? "failed" : "done", words: faults };
}

/** Those that nothing speaks against. */
function clear({ plan }: LookIn): (PoolClaims & { pool: NonNullable<PoolClaims["pool"]> })[] {
  return plan.pools.flatMap((one) =>
    one.pool && one.doubts.length === 0 ? [{ ...one, pool: one.pool }] : [],
  );
}

async function claimAll(migration: Migration, look: LookIn): Promise<Step> {
  const title = "allocations are claimed as NodeBlocks";
  const pools = clear(look);
  const left = pools.filter(
    (one) => one.create.length > 0 || one.from.annotations[poolGridKey] === undefined,
  );
  const blocks = left.flatMap(({ create }) => create).length;
  const there = look.plan.pools.flatMap((one) => one.there).length;
  const doubtful = look.plan.pools.length - pools.length;
  const omitted =
    doubtful === 0 ? [] : [`${count(doubtful, "pool")} left out: settle the doubts, and run this again`];
  if (left.length === 0)
    return { title, state: "done", words: [`${count(there, "NodeBlock")} there`, ...omitted] };
  const waits = look.nvHolder ? "nv-ipam's controller has to be stopped first" : whyNotYet(look, left);
  if (waits !== undefined) return { title, state: "waits", words: [waits, ...omitted] };
  if (!isWriting(migration))
    return {
      title,
      state: "to do",
      words: [`${count(blocks, "NodeBlock")} to be made, ${there} there`, ...omitted],
    };
  const faults = (
    await Promise.all(
      left.map((one) =>
        claimPool(migration.client, one)
          .catch((error: Error) => [error.message])
          .then((all) => all.map((words) => `${nameOfPool(one.from)}: ${words}`)),
      ),
    )
  ).flat();
  const words = faults.length > 0 ? faults : [`${count(blocks, "NodeBlock")} made, ${there} there`];
  return { title, state: faults.length > 0 ? "failed" : "done", words: [...words, ...omitted] };
}

/** A controller of ours that doesn't know a pool closes its NodeBlocks, and that can't be taken back. */
function whyNotYet({ ownHolder, cluster }: LookIn, left: PoolClaims[]): string | undefined {
  const unknown = left.filter(
    ({ from }) => !from.finalizers.includes(poolFinalizer) && !ownOf(cluster, from),
  );
  if (!ownHolder || unknown.length === 0) return undefined;
  return `${ownHolder.holder} runs without --serve-group=${nvIpamGroup}, and would take NodeBlocks of pools back that it doesn't know: run it with that flag, or scale it to 0 for now`;
}

function ownOf({ own }: MigrationCluster, from: PoolClaims["from"]): OwnObject | undefined {
  return own.find(
    (one) => one.kind === from.kind && one.name === from.name && uidsOfPool(one).includes(from.uid),
  );
}

function checkServed(look: LookIn): Step {
  const title = "kube-node-controller serves the pools, and Nodes carry their blocks";
  const { cluster, ownHolder } = look;
  const pools = clear(look);
  const blocks = pools.flatMap(({ there, create }) => [...there, ...create]);
  const uncarried = blocks.filter(({ metadata, spec }) => {
    const node = cluster.nodes.get(spec.nodeName);
    if (!node || node.uid !== spec.nodeUID) return false;
    return !node.annotations[poolAnnotationKey(spec.pool)]?.includes(`"${metadata.name}"`);
  });
  if (uncarried.length === 0 && (pools.length === 0 || blocks.length > 0 || ownHolder))
    return { title, state: "done", words: [`${count(blocks.length, "block")} carried`] };
  const isServed = pools.every(
    ({ from }) => from.finalizers.includes(poolFinalizer) || ownOf(cluster, from) !== undefined,
  );
  const namespace = pools[0]?.from.namespace ?? "kube-system";
  const where = namespace === "kube-system" ? "" : ` --serve-namespace=${namespace}`;
  const isOwn = pools.every(({ from }) => ownOf(cluster, from));
  const flag = isOwn ? "" : ` with --serve-group=${nvIpamGroup}${where}`;
  const missing = `${uncarried.length} of ${count(blocks.length, "block")} not carried yet`;
  if (!ownHolder) return { title, state: "waits", words: [missing, `run kube-node-controller${flag}`] };
  if (!isServed)
    return { title, state: "waits", words: [missing, `${ownHolder.holder} runs: run it${flag}`] };
  return { title, state: "waits", words: [missing, "the controller is at it: run this again"] };
}

function checkNodes(look: LookIn): Step {
  const title = "nodes have the agent, which installs the plugin and takes nv-ipam's leases over";
  const blocks = clear(look).flatMap(({ there, create }) => [...there, ...create]);
  const names = [...new Set(blocks.map(({ spec }) => spec.nodeName))].filter((name) =>
    look.cluster.nodes.has(name),
  );
  const without = names.filter((name) => !look.cluster.agents.has(name)).sort();
  if (without.length === 0)
    return { title, state: "done", words: [`ready on ${count(names.length, "node")}`] };
  const few = without.slice(0, 5).join(", ");
  const more = without.length > 5 ? `, … (${without.length})` : "";
  return {
    title,
    state: "waits",
    words: [
      `no agent that is ready on ${few}${more}: docs/migrate-nv-ipam.md says how it is installed there`,
    ],
  };
}

function checkNetworks({ cluster }: LookIn): Step {
  const { length } = cluster.networks.filter(({ isNvs }) => isNvs);
  const words =
    length === 0
      ? "no NetworkAttachmentDefinition says type: nv-ipam; configurations in files are the nodes' own"
      : `${count(length, "network")} of type nv-ipam: the executable serves them by that name`;
  return { title: "networks stay as they are", state: "done", words: [words] };
}

async function makeOwnObjects(migration: Migration, look: LookIn, claimed: Step): Promise<Step> {
  const title = "pools are objects of ipam.kube-node.io";
  const pools = clear(look);
  const left = pools.filter(({ from }) => ownOf(look.cluster, from)?.grid === undefined);
  if (!isWriting(migration) && left.length > 0)
    return { title, state: "to do", words: left.map(({ from }) => `${nameOfPool(from)} to be made`) };
  if (left.length > 0 && claimed.state !== "done")
    return { title, state: "waits", words: ["their allocations have to be claimed first"] };
  const faults = await attempt(
    left,
    ({ from }) => nameOfPool(from),
    ({ from, pool }) => makeOwnObject(migration.client, from, pool, ownOf(look.cluster, from)),
  );
  const words = faults.length > 0 ? faults : [`${left.length} made, ${pools.length - left.length} there`];
  return { title, state: faults.length > 0 ? "failed" : "done", words };
}

async function deleteTheirs(migration: Migration, look: LookIn, made: Step): Promise<Step> {
  const title = "nv-ipam's objects are deleted";
  const pools = clear(look);
  if (pools.length === 0) return { title, state: "done", words: [] };
  if (!migration.flags.finish)
    return { title, state: "later", words: [`${count(pools.length, "object")} stay until --finish`] };
  const ready = pools.filter(({ from }) => ownOf(look.cluster, from)?.isReady);
  const unready = pools
    .filter((one) => !ready.includes(one))
    .map(({ from }) => `${nameOfPool(from)} of ipam.kube-node.io isn't Ready yet`);
  const served = checkServed(look);
  if (made.state !== "done" || served.state !== "done")
    return { title, state: "waits", words: ["Nodes have to carry their blocks first", ...unready] };
  if (!isWriting(migration))
    return {
      title,
      state: unready.length > 0 ? "waits" : "to do",
      words: [`${count(ready.length, "object")} to be deleted`, ...unready],
    };
  const faults = await attempt(
    ready,
    ({ from }) => nameOfPool(from),
    ({ from }) => deletePool(migration.client, nvPoolPath(from.kind, from), from, poolFinalizer),
  );
  const words = [...faults, ...unready, `${count(ready.length - faults.length, "object")} deleted`];
  return { title, state: faults.length > 0 ? "failed" : unready.length > 0 ? "waits" : "done", words };
}
