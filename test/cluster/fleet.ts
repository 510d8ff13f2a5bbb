import { setTimeout as sleep } from "node:timers/promises";
import { callIn, type Network } from "./attach.ts";
import { type ListedPod, listPods } from "./ledger.ts";
import type { OwnCluster } from "./own-cluster.ts";
import { type Sandbox, sandboxesOn } from "./sandboxes.ts";

/** A pod's second interface: what its ADD gave, and by whom. */
type Attached = { pod: ListedPod; sandbox: Sandbox; address: string; by: string };

/** Pods of a namespace with a second interface of one network, attached and detached as Multus would do it. */
export type Fleet = {
  /** Who answers on a node; for `crossings`. */
  serve(node: string, by: string): void;
  /** Attaches what has no second interface yet; one that may be tried again is tried again, as a runtime does it. */
  attachAll(): Promise<void>;
  /** Some pods get their DEL and go; others come in their place, and are attached. */
  turn(count: number): Promise<void>;
  detach(attached: Attached[]): Promise<void>;
  /** While no call is under way on these nodes: what a runtime tries meanwhile, it tries again. */
  whileQuiet(nodes: string[], work: () => Promise<void>): Promise<void>;
  living(): Attached[];
  /** What should not have been. */
  faults: string[];
  /** "ADD by old, DEL by ours" and how often. */
  crossings: Map<string, number>;
};

type Kubectl = (words: string[]) => Promise<string>;

export function makeFleet(
  cluster: OwnCluster,
  kubectl: Kubectl,
  namespace: string,
  size: number,
  network: Network,
  /** Hears of what a pod was given, as Multus writes it to the pod. */
  tell: (pod: ListedPod, address: string) => Promise<unknown>,
): Fleet {
  const living = new Map<string, Attached>();
  const serving = new Map<string, string>();
  const fleet: Fleet = {
    serve: (node, by) => void serving.set(node, by),
    attachAll,
    turn,
    detach,
    whileQuiet,
    living: () => [...living.values()],
    faults: [],
    crossings: new Map(),
  };
  const underWay = new Map<string, number>();
  const quiet = new Set<string>();
  const runOn = (node: string) => (words: string[]) => cluster.run(["exec", node, "--", ...words]);

  const call = (verb: string, { node, ...pod }: ListedPod, sandbox: Sandbox) =>
    callIn(sandbox, verb, runOn(node), pod, network);

  /** Work on a node that is to be over before it is quiet there. */
  async function busyOn(node: string, work: () => Promise<void>): Promise<void> {
    while (quiet.has(node)) await sleep(100);
    underWay.set(node, (underWay.get(node) ?? 0) + 1);
    try {
      await work();
    } finally {
      underWay.set(node, (underWay.get(node) ?? 0) - 1);
    }
  }

  async function whileQuiet(nodes: string[], work: () => Promise<void>): Promise<void> {
    for (const node of nodes) quiet.add(node);
    while (nodes.some((node) => (underWay.get(node) ?? 0) > 0)) await sleep(100);
    try {
      await work();
    } finally {
      quiet.clear();
    }
  }

  async function attachAll(): Promise<void> {
    const open = (await listReady()).filter(({ uid }) => !living.has(uid));
    const nodes = [...new Set(open.map(({ node }) => node))];
    await Promise.all(
      nodes.map(async (node) => {
        const sandboxes = await sandboxesOn(cluster, node);
        for (const pod of open.filter((one) => one.node === node))
          await busyOn(node, () => attach(pod, sandboxes.get(pod.uid) as Sandbox));
      }),
    );
  }

  /** All of them, once those who leave have left. */
  async function listReady(): Promise<ListedPod[]> {
    for (const end = Date.now() + 120_000; ; await sleep(500)) {
      const pods = (await listPods(kubectl, namespace)).filter(({ isLeaving }) => !isLeaving);
      if (pods.length === size && pods.every(({ addresses }) => addresses.length > 0)) return pods;
      if (Date.now() > end) throw new Error(`in vain waited for ${size} pods`);
    }
  }

  async function attach(pod: ListedPod, sandbox: Sandbox): Promise<void> {
    for (const last = Date.now() + longestOutage; ; await sleep(1000)) {
      try {
        const { ips } = JSON.parse(await call("ADD", pod, sandbox)) as { ips: { address: string }[] };
        const by = serving.get(pod.node) ?? "";
        const address = (ips[0]?.address ?? "").split("/")[0] ?? "";
        enter({ pod, sandbox, address, by });
        return void (await tell(pod, address));
      } catch (error) {
        const words = wordsOf(error);
        await end(pod, sandbox).catch((e) => fleet.faults.push(wordsOf(e)));
        if (mayPass(words) && Date.now() < last) continue;
        return void fleet.faults.push(`ADD of ${pod.name} on ${pod.node}: ${words}`);
      }
    }
  }

  function enter(attached: Attached): void {
    for (const { pod, address } of living.values())
      if (address === attached.address)
        fleet.faults.push(`${address} of ${pod.name} was given to ${attached.pod.name}, too`);
    living.set(attached.pod.uid, attached);
  }

  async function detach(all: Attached[]): Promise<void> {
    await Promise.all(all.map((one) => busyOn(one.pod.node, () => detachOne(one))));
  }

  async function detachOne({ pod, sandbox, by }: Attached): Promise<void> {
    living.delete(pod.uid); // Its address may be another's before we hear of its end.
    try {
      await end(pod, sandbox);
      const crossing = `ADD by ${by}, DEL by ${serving.get(pod.node)}`;
      fleet.crossings.set(crossing, (fleet.crossings.get(crossing) ?? 0) + 1);
    } catch (error) {
      fleet.faults.push(`ADD by ${by}, DEL of ${pod.name} on ${pod.node}: ${wordsOf(error)}`);
    }
  }

  /** The kubelet tries a DEL until it succeeds; before that there is no other ADD: macvlan leaves its interface to the DEL. */
  async function end(pod: ListedPod, sandbox: Sandbox): Promise<void> {
    for (const last = Date.now() + longestOutage; ; await sleep(1000)) {
      try {
        return void (await call("DEL", pod, sandbox));
      } catch (error) {
        if (!mayPass(wordsOf(error)) || Date.now() > last) throw error;
      }
    }
  }

  async function turn(count: number): Promise<void> {
    const some = fleet
      .living()
      .sort(() => Math.random() - 0.5)
      .slice(0, count);
    await detach(some);
    await kubectl(["delete", "pods", "-n", namespace, "--wait=false", ...some.map(({ pod }) => pod.name)]);
    await attachAll();
  }

  return fleet;
}

/** Milliseconds that calls of a node may fail, while one way gives place to the other. */
const longestOutage = 120_000;

/** Code 11: to be tried again later. */
function mayPass(words: string): boolean {
  return /"code":\s*11\b/.test(words);
}

/** A plugin says on standard output what is wrong. */
function wordsOf(error: unknown): string {
  const { stdout, message } = error as { stdout?: string; message: string };
  return stdout ? stdout.trim() : message;
}
