import type { PluginAnswer } from "../../parts/plugin.ts";
import type { Worker } from "../../real/parts/worker.ts";
import { callFor, type Live } from "./attachments.ts";
import { makeRandom } from "./effort.ts";
import type { Wrap } from "./strace.ts";

/** An attachment in a network, as "c1:eth0". */
export type Place = { network: string; name: string };

/** Calls at random for many attachments, at most one at a time for each as a runtime does it, and what should have come of them. */
export type Crowd = {
  /** One call for an attachment that nobody is busy with. */
  act(): Promise<void>;
  /** Who lives, by network. An attachment whose call was killed is in none: its next call is a DEL. */
  live: Map<string, Live>;
  /** What should not have been. */
  faults: string[];
  calls: { done: number; killed: number; failed: string[] };
};

/** How likely a call is killed, and how many milliseconds after its start at most. */
export type Danger = { share: number; within: number };

export function makeCrowd(worker: Worker, places: Place[], config: object, danger: Danger): Crowd {
  const random = makeRandom();
  const pick = <T>(all: T[]): T => all[Math.floor(random() * all.length)] as T;
  const live = new Map(places.map(({ network }) => [network, new Map()] as [string, Live]));
  const unsure = new Set<Place>();
  const busy = new Set<Place>();
  const crowd: Crowd = { act, live, faults: [], calls: { done: 0, killed: 0, failed: [] } };

  async function act(): Promise<void> {
    const place = pick(places.filter((one) => !busy.has(one)));
    busy.add(place);
    const held = live.get(place.network) as Live;
    const verb = unsure.has(place) || held.has(place.name) ? "DEL" : "ADD";
    if (verb === "DEL") held.delete(place.name);
    unsure.add(place);
    const delay = random() < danger.share ? random() * danger.within : undefined;
    const wrap = delay === undefined ? {} : { wrap: killedAfter(delay) };
    const difference = { ...callFor(place.name), config: { ...config, name: place.network }, ...wrap };
    const answer = await worker.call(verb, difference);
    settle(verb, place, held, answer);
    busy.delete(place);
  }

  function settle(verb: string, place: Place, held: Live, answer: PluginAnswer): void {
    crowd.calls.done++;
    if (tooLate.includes(answer.exitCode ?? 0)) crowd.calls.killed++;
    else if (answer.exitCode !== 0) crowd.calls.failed.push(`${verb} ${place.name}: ${answer.stdout.trim()}`);
    if (answer.exitCode !== 0) return;
    unsure.delete(place);
    if (verb === "DEL") return;
    const { ips } = answer.json as { ips: { address: string }[] };
    const addresses = ips.map(({ address }) => address.replace(/\/\d+$/, ""));
    for (const [other, theirs] of held) {
      const twice = addresses.filter((address) => theirs.includes(address));
      if (twice.length > 0) crowd.faults.push(`${twice.join()} is ${other}'s and ${place.name}'s`);
    }
    held.set(place.name, addresses);
  }

  return crowd;
}

/** What `timeout` ends with where it killed, and where that came when all was over. */
const tooLate = [137, 124];

/** The process of the plugin alone is killed; what it started goes on, and nobody waits for it. */
function killedAfter(milliseconds: number): Wrap {
  const script = 'exec timeout --foreground --signal=KILL "$@" 2>/dev/null';
  return (command) => ["sh", "-c", script, "sh", `${(milliseconds / 1000).toFixed(4)}`, ...command];
}
