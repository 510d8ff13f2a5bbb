import { setTimeout as pause } from "node:timers/promises";
import { formatIp } from "../address/ip.ts";
import { type PoolAnnotation, readOwnPoolAnnotation } from "../api/pool-annotation.ts";
import { type PoolReference, poolAnnotationKey } from "../api/pool-names.ts";
import { CniError } from "../cni/error.ts";
import type { Health, Part } from "../daemon/part.ts";
import { uptime } from "../host/machine.ts";
import type { NodeFacts } from "../kube/node.ts";
import { isMovedIn, readMoveInNote } from "../lease/move-in-notes.ts";
import { markOfStore, oldPoolKey, timeOfStore } from "../lease/nv-ipam-store.ts";
import type { LifeEvidence } from "../upkeep/life.ts";
import { moveIn } from "../upkeep/move-in.ts";
import { listSandboxes } from "../upkeep/sandboxes.ts";
import type { ServedNetwork } from "../upkeep/served-networks.ts";
import { onHost } from "./config.ts";
import type { AgentContext } from "./context.ts";
import { followPods, type Pods } from "./follow-pods.ts";
import { findPod } from "./known-pods.ts";
import { metricsIn } from "./metrics.ts";
import { networksIn } from "./networks.ts";
import { misplacedFolders } from "./store-folders.ts";

/** Milliseconds: between two looks at first, later, and for which the pods are waited for. */
const pace = { first: 2000, later: 30_000, patience: 10_000 };
/** Milliseconds that the leases of one network may take. */
const longest = 120_000;

/**
 * Where nv-ipam left a store: takes its leases over for each network that names their pools, so that no ADD has to. Until that is done the
 * agent isn't ready; what is in doubt stays where it is, is told of, and nobody gets its address.
 */
export async function startMovingIn(context: AgentContext): Promise<Part> {
  const { config, log, signal, ownNode } = context;
  const { moveInDoubts, movedIn } = metricsIn(context.metrics);
  let health: Health = { live: true, ready: false, words: "has not looked yet" };
  let pods: Pods | undefined;
  const said = new Set<string>();

  function sayOnce(what: string, fields: Record<string, unknown>): void {
    const words = `${what} ${JSON.stringify(fields)}`;
    if (said.size > 1000) said.clear();
    if (!said.has(words)) log.warn(what, fields);
    said.add(words);
  }

  async function look(): Promise<string[]> {
    const node = ownNode.current();
    if (!node) return ["the Node isn't known yet"];
    const { served } = await networksIn(context).find();
    const pooled = served.filter(({ request }) => request.pooled);
    const troubles: string[] = [];
    moveInDoubts.reset();
    for (const one of pooled) {
      const trouble = await moveOne(one, node).catch(reasonOf);
      if (trouble !== "") troubles.push(`network ${one.network}: ${trouble}`);
      const doubts = readMoveInNote(one.request.state.folder)?.doubts ?? [];
      moveInDoubts.set({ network: one.network }, doubts.length);
    }
    return troubles;
  }

  /** "", or what stands in the way. */
  async function moveOne({ network, dataDir, request }: ServedNetwork, node: NodeFacts): Promise<string> {
    const pools = request.pooled?.pools ?? [];
    const annotations = pools.map((pool) => annotationOf(node, pool));
    const shown = pools.filter((_, i) => annotations[i]).map(({ kind, name }) => oldPoolKey(kind, name));
    const isSettled = isMovedIn(request.state.folder, shown);
    // Doubts may have ended meanwhile, with their pods.
    const hasDoubts = (readMoveInNote(request.state.folder)?.doubts ?? []).length > 0;
    if (shown.length === 0 || (isSettled && !hasDoubts)) return "";
    const [misplaced] = misplacedFolders(config, [dataDir]);
    if (misplaced !== undefined) return misplaced;
    const moved = await moveIn({
      ...{ request, annotations, evidence: await evidenceNow(), env: {}, dryRun: config.dryRun },
      folders: [onHost(config, config.cniBinDir)],
      deadline: Date.now() + longest,
    });
    for (const { lease, outcome, reason } of moved) {
      const { containerID, ifname, ip, pod } = lease;
      const whose = { network, containerID, ifname, address: formatIp(ip), ...pod, reason };
      if (outcome === "doubt")
        sayOnce("a lease of nv-ipam's is in doubt, and nobody gets its address", whose);
      else log.info("nv-ipam's lease", { ...whose, outcome });
      if (outcome !== "doubt" && outcome !== "would") movedIn.inc({ network, outcome });
    }
    return config.dryRun && moved.length > 0 ? "nothing is taken over (--dry-run)" : "";
  }

  async function evidenceNow(): Promise<LifeEvidence> {
    const known = pods?.current();
    // Whatever the store has was leased before it was written for the last time.
    const leasedBefore = uptime() - (Date.now() - (timeOfStore() ?? Date.now())) / 1000;
    const sandboxes =
      config.criSocket === undefined
        ? undefined
        : await listSandboxes(config.criSocket).catch((error: Error) => {
            sayOnce("sandboxes are not known", { reason: error.message });
            return undefined;
          });
    return { sandboxes, pod: (pod) => findPod(known, { pod, uptime: leasedBefore }) };
  }

  async function run(): Promise<void> {
    // Definitions of networks come with the second look; without a store there is nothing to wait for.
    for (let count = 1; !signal.aborted; count++) {
      if (markOfStore() === undefined) {
        health = { live: true, ready: true, words: "nv-ipam left no store here" };
      } else {
        pods ??= followPods(context);
        for (const end = Date.now() + pace.patience; !pods.current() && Date.now() < end && !signal.aborted; )
          await rest(100);
        const troubles = await look().catch((error: unknown) => [reasonOf(error)]);
        if (count > 1 || troubles.length > 0) health = healthOf(troubles);
        for (const reason of troubles) sayOnce("nv-ipam's leases can't be taken over", { reason });
      }
      await rest(health.ready || count > 10 ? pace.later : pace.first);
    }
  }

  async function rest(milliseconds: number): Promise<void> {
    await pause(milliseconds, undefined, { signal }).catch(() => {});
  }

  const running = run();
  return {
    name: "move-in",
    stop: async () => {
      await Promise.all([running, pods?.stop()]);
    },
    health: () => health,
  };
}

function healthOf([trouble]: string[]): Health {
  if (trouble !== undefined) return { live: true, ready: false, words: trouble };
  return { live: true, ready: true, words: "what nv-ipam leased is taken over" };
}

/** Of another Node's annotation, or a malformed one, no block is known: its leases wait. */
function annotationOf({ annotations, uid }: NodeFacts, pool: PoolReference): PoolAnnotation | undefined {
  const text = annotations[poolAnnotationKey(pool)];
  return text === undefined ? undefined : readOwnPoolAnnotation(text, uid);
}

function reasonOf(error: unknown): string {
  const { message } = error as Error;
  return error instanceof CniError && error.details !== "" ? `${message}: ${error.details}` : message;
}
