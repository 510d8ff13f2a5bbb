import { makeRandom } from "../../faults/parts/effort.ts";
import * as net from "../../parts/namespace.ts";
import { callPlugin, type PluginAnswer } from "../../parts/plugin.ts";
import { wordsOf } from "./answers.ts";

/** Where a pod may live: a network namespace, and the Kubernetes namespace that it is of. */
export type Place = { netns: net.Namespace; namespace: string };

/** A pod that lives, who served its ADD, and what that gave it. */
export type LivePod = { id: string; place: Place; served: string; addresses: string[]; result: unknown };

/** What serves the calls from now on. `config` is what a runtime has loaded. */
export type Serving = { name: string; config: { type: string; [key: string]: unknown } };

/** Pods that come and go in namespaces, as a runtime has it: one call for a pod at a time, many pods at once. */
export type Churn = {
  serve(serving: Serving): void;
  /** Pods come and go, so many at once, until `stop`. */
  start(width: number): void;
  /** Until so many more calls that began from now on have ended. */
  calls(count: number): Promise<void>;
  stop(): Promise<void>;
  /** DEL of so many of the living, all at once by `width`. */
  remove(count: number): Promise<void>;
  live(): LivePod[];
  /** What should not have been: calls that failed, addresses that are two pods', changed, or not those of the namespace. */
  faults: string[];
  /** "ADD by old, DEL by ours" and how often. */
  crossings: Map<string, number>;
};

/** Where calls are made: `wrap` puts a command into the machine's namespaces; `plugins` is the main plugins' folder, `path` CNI_PATH. */
type Machine = {
  wrap(command: string[]): string[];
  plugins: string;
  path: string;
  env: Record<string, string>;
};

export function makeChurn(machine: Machine, places: Place[]): Churn {
  const random = makeRandom();
  const pods = new Map<Place, LivePod>();
  const busy = new Set<Place>();
  const churn: Churn = {
    serve,
    start,
    calls,
    stop,
    remove,
    live: () => [...pods.values()],
    faults: [],
    crossings: new Map(),
  };
  let now: Serving = { name: "nobody", config: { type: "none" } };
  let [ended, generation, number] = [0, 0, 0];
  let isRunning = false;
  let lanes: Promise<void>[] = [];

  function serve(next: Serving): void {
    now = next;
    generation++;
    ended = 0;
  }

  function start(width: number): void {
    isRunning = true;
    lanes = Array.from({ length: width }, async () => {
      while (isRunning) await act();
    });
  }

  async function calls(count: number): Promise<void> {
    for (const goal = ended + count; ended < goal; ) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  async function stop(): Promise<void> {
    isRunning = false;
    await Promise.all(lanes);
  }

  async function remove(count: number): Promise<void> {
    await Promise.all(churn.live().slice(0, count).map(end));
  }

  /** One call for a place that nobody is busy with. */
  async function act(): Promise<void> {
    const free = places.filter((place) => !busy.has(place));
    const place = free[Math.floor(random() * free.length)] as Place;
    const began = generation;
    busy.add(place);
    const pod = pods.get(place);
    try {
      if (pod === undefined) await begin(place);
      else if (random() < 0.3) await check(pod);
      else await end(pod);
    } finally {
      busy.delete(place);
    }
    if (began === generation) ended++;
  }

  async function begin(place: Place): Promise<void> {
    const { name, config } = now;
    const id = `pod-${++number}`;
    const answer = await call("ADD", config, { id, place });
    if (answer.exitCode !== 0) {
      blame(`ADD of ${id} by ${name}: ${wordsOf(answer)}`);
      return void (await call("DEL", config, { id, place }));
    }
    const { ips } = answer.json as { ips: { address: string }[] };
    const addresses = ips.map(({ address }) => address);
    for (const other of pods.values())
      for (const address of addresses)
        if (other.addresses.includes(address)) blame(`${address} of ${other.id} was given to ${id}, too`);
    const pod = { id, place, served: name, addresses, result: answer.json };
    pods.set(place, pod);
    compare(pod);
  }

  async function check(pod: LivePod): Promise<void> {
    const { name, config } = now;
    const answer = await call("CHECK", config, pod);
    if (answer.exitCode !== 0)
      blame(`CHECK of ${pod.id}, added by ${pod.served}, by ${name}: ${wordsOf(answer)}`);
    compare(pod);
  }

  async function end(pod: LivePod): Promise<void> {
    compare(pod);
    pods.delete(pod.place);
    const { name, config } = now;
    const answer = await call("DEL", config, pod);
    if (answer.exitCode !== 0)
      return blame(`DEL of ${pod.id}, added by ${pod.served}, by ${name}: ${wordsOf(answer)}`);
    const crossing = `ADD by ${pod.served}, DEL by ${name}`;
    churn.crossings.set(crossing, (churn.crossings.get(crossing) ?? 0) + 1);
  }

  /** What the namespace has, with what the ADD said. */
  function compare({ id, place, addresses }: LivePod): void {
    const there = net.addressesOf(place.netns, "eth0");
    if (there.toSorted().join() !== addresses.toSorted().join())
      blame(`${id} was given ${addresses.join()}, and its namespace has ${there.join()}`);
  }

  function call(
    verb: string,
    config: Serving["config"],
    { id, place, result }: Pick<LivePod, "id" | "place"> & { result?: unknown },
  ): Promise<PluginAnswer> {
    return callPlugin({
      command: machine.wrap([`${machine.plugins}/${config.type}`]),
      verb,
      containerID: id,
      ifname: "eth0",
      netns: place.netns.path,
      args: `IgnoreUnknown=1;K8S_POD_NAMESPACE=${place.namespace};K8S_POD_NAME=${id}`,
      path: machine.path,
      env: machine.env,
      stdin: {
        cniVersion: "1.0.0",
        name: "net1",
        ...config,
        ...(result !== undefined && { prevResult: result }),
      },
    });
  }

  function blame(words: string): void {
    churn.faults.push(words);
  }

  return churn;
}
