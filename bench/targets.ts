import { names, peerNames } from "./contenders.ts";
import type { Verb } from "./plan.ts";
import type { CallRow, Results } from "./results.ts";

/** What was to be reached, and what was; `value` is undefined where this run didn't measure it. */
export type Target = { what: string; limit: string; value: number | undefined; reached: boolean | undefined };

/** Milliseconds by which the cost of ours may differ between a store of ten leases and one of 60,000: noise. */
const growth = 0.7;

export function judge(results: Results): Target[] {
  const peer = results.peers[0];
  const call = (verb: Verb, contender: string) => findCall(results, verb, contender);
  const times = (what: string, verb: Verb, contender: string, limit: number) =>
    atMost(what, `${limit} h`, limit, call(verb, contender)?.ratio);
  const toPeer = (verb: Verb, contender: string, other: "cached" | "asking", limit: number) => {
    const theirs = peer === undefined ? undefined : call(verb, peerNames({ name: peer })[other])?.added;
    const own = call(verb, contender)?.added;
    const value = own === undefined || theirs === undefined ? undefined : own / theirs;
    return atMost(`… added, to what ${peer ?? "a peer"} adds`, `${limit}`, limit, value);
  };
  const burst = (contender: string) => results.bursts?.find((row) => row.contender === contender);
  const rollout = results.rollout?.find((row) => row.contender === names.kept);
  const memory = results.memory?.find((row) => row.contender === names.kept);
  return [
    times("ADD, podCIDRs kept", "ADD", names.kept, 2.8),
    toPeer("ADD", names.kept, "cached", 0.5),
    times("ADD, agent's file", "ADD", names.agent, 2.8),
    toPeer("ADD", names.agent, "cached", 0.5),
    times("ADD that asks the API server", "ADD", names.asking, 5),
    toPeer("ADD", names.asking, "asking", 0.75),
    times("CHECK", "CHECK", names.kept, 2.8),
    toPeer("CHECK", names.kept, "cached", 0.5),
    times("DEL", "DEL", names.kept, 2.8),
    toPeer("DEL", names.kept, "cached", 0.5),
    atLeast("200 ADDs, 32 at once, ranges known: rate to host-local's", 0.65, burst(names.kept)?.ratio),
    atLeast("… asking the API server", 0.55, burst(names.asking)?.ratio),
    atMost("… requests for 100 ADDs that start together", "10", 10, burst(names.asking)?.requests),
    atMost("100 pods on a real node, time to host-local's", "1.05", 1.05, rollout?.ratio),
    atMost("resident memory of one call, ranges known", "36 MiB", 36, memory?.peak),
    judgeStores(results),
  ];
}

export function findCall({ calls }: Results, verb: Verb, contender: string): CallRow | undefined {
  return calls.find((row) => row.verb === verb && row.contender === contender);
}

function judgeStores({ stores }: Results): Target {
  const [smallest, largest] = [stores?.[0], stores?.at(-1)];
  const value =
    smallest &&
    largest &&
    Math.max(...(["ADD", "DEL"] as const).map((verb) => largest.own[verb] - smallest.own[verb]));
  return atMost("what ours adds with 60,000 leases, less that with 10", `${growth} ms`, growth, value);
}

function atMost(what: string, words: string, limit: number, value: number | undefined): Target {
  return { what, limit: `≤ ${words}`, value, reached: value === undefined ? undefined : value <= limit };
}

function atLeast(what: string, limit: number, value: number | undefined): Target {
  return { what, limit: `≥ ${limit}`, value, reached: value === undefined ? undefined : value >= limit };
}
