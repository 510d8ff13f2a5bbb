import { CniError, code } from "../cni/error.ts";
import type { JsonObject } from "../text/json.ts";
import { type AgentNode, readAgentFile } from "./agent-file.ts";
import type { Asked } from "./ask.ts";
import { type LastAnswer, readLastAnswer } from "./last-answer.ts";
import { readLegacyCache } from "./legacy-cache.ts";
import type { NodeValue, Source } from "./source.ts";
import { type Here, type Origin, type Refuse, readHere, refuseSilently, type Wanted } from "./wanted.ts";

/** A network's ranges on this node, as keys of a delegate's `ipam`, and where they came from. */
export type Found = {
  ipam: JsonObject;
  node: string;
  origin: Origin;
};

/** The agent's word, else a fresh answer of before, else the API server's, else what was last known. */
export async function findRanges(wanted: Wanted): Promise<Found> {
  const here = readHere();
  const agent = agentFor(wanted, here);
  if (agent) return takeAgentsWord(wanted, here, agent);
  const last = lastAnswerFor(wanted, here, passOver(wanted, "fresh"));
  if (last && isFresh(last, here, wanted))
    return found(wanted, "fresh", last.value, last.node.name, ageOf(last, here));
  const legacy = last ? undefined : readLegacy(wanted, passOver(wanted, "legacy"));
  const { ask } = await import("./ask.ts");
  const asked = await ask(wanted, here, last, last !== undefined || legacy !== undefined);
  if (asked.kind === "answer") return found(wanted, "asked", asked.value, asked.node);
  passOver(wanted, "asked")(asked.reason);
  return standIn(wanted, here, asked, last, legacy);
}

/** It leaves an answer behind, where that is what counts when the agent has ended. */
function takeAgentsWord(wanted: Wanted, here: Here, agent: HeardNode): Found {
  const { source, keepsNothing } = wanted;
  const word = wordOf(source, here, agent);
  if (!keepsNothing) source.fence?.keep(word, here, lastAnswerFor(wanted, here), wanted);
  return found(wanted, "agent", word.value, agent.name, agent.silence);
}

type HeardNode = AgentNode & { silence: number };

/** What the API server said when the agent last heard it. */
function wordOf(source: Source, { bootID, uptime }: Here, { silence, ...agent }: HeardNode) {
  const time = new Date(Date.now() - silence * 1000).toISOString();
  const node = { name: agent.name, uid: agent.uid };
  return { node, value: source.pick(agent), bootID, at: uptime - silence, time };
}

/** Tells that a source is passed over. */
function passOver(wanted: Wanted, origin: Origin, age?: number): Refuse {
  return (why) => {
    wanted.tell?.({ origin, taken: false, why, ...(age !== undefined && { age }) });
    return undefined;
  };
}

/**
 * What DEL and CHECK go by where no record says more: never a request. Where nothing was kept yet, as after an original's ADD, the agent's
 * word: an annotation may name the dataDir that leases lie in.
 */
export function lastKnownRanges(wanted: Wanted): JsonObject | undefined {
  const here = readHere();
  const last = lastAnswerFor(wanted, here);
  const agent = last ? undefined : agentFor(wanted, here);
  try {
    const value = last?.value ?? (agent && wanted.source.pick(agent)) ?? readLegacy(wanted, refuseSilently);
    if (value === undefined || value === null) return undefined;
    return wanted.source.parse(value, last?.node.name ?? agent?.name ?? "");
  } catch {
    return undefined; // What can't be parsed now could not be leased from either.
  }
}

function found(wanted: Wanted, origin: Origin, value: NodeValue, node: string, age?: number): Found {
  wanted.tell?.({ origin, taken: true, ...(age !== undefined && { age }) });
  wanted.log.debug("node ranges", { source: wanted.source.label, origin, node, value });
  return { ipam: wanted.source.parse(value, node), node, origin };
}

function agentFor(wanted: Wanted, here: Here) {
  const refuse = passOver(wanted, "agent");
  const agent = readAgentFile(here, refuse);
  if (agent && wanted.source.fence?.hasExpired(wordOf(wanted.source, here, agent), here))
    return refuse("its agent has not heard from the API server for longer than the blocks hold");
  const given = wanted.nodeName ?? wanted.env["NODE_NAME"];
  if (agent && given && given !== agent.name) return refuse(`its Node is ${agent.name}, not ${given}`);
  return agent;
}

/** An answer for the Node that the configuration names; a name that changed since makes it another's. */
function lastAnswerFor(
  { stateFolder, source, nodeName, env }: Wanted,
  here: Here,
  refuse = refuseSilently,
): LastAnswer | undefined {
  const last = readLastAnswer(stateFolder, source.label, here.machineIDs, refuse);
  const given = nodeName ?? env["NODE_NAME"];
  if (last && given && given !== last.node.name)
    return refuse(`what is kept is of Node ${last.node.name}, not ${given}`);
  return last;
}

function isFresh(last: LastAnswer, here: Here, wanted: Wanted): boolean {
  const { cacheTTL, source } = wanted;
  const isYoung = last.bootID === here.bootID && here.uptime - last.at < cacheTTL;
  if (isYoung && !source.fence?.hasExpired(last, here)) return true;
  passOver(wanted, "fresh", ageOf(last, here))(`it is fresh for ${cacheTTL} s only (ipam.cacheTTL)`);
  return false;
}

/** Seconds; within a boot whatever the clock did. */
function ageOf(last: LastAnswer, here: Here): number {
  if (last.bootID === here.bootID) return here.uptime - last.at;
  return (Date.now() - Date.parse(last.time)) / 1000;
}

function readLegacy({ legacy, network }: Wanted, refuse: Refuse): string[] | undefined {
  if (!legacy) return refuse("the original kept none for this plugin");
  return readLegacyCache(legacy.dataDir, network, refuse);
}

function standIn(
  wanted: Wanted,
  here: Here,
  asked: Exclude<Asked, { kind: "answer" }>,
  last: LastAnswer | undefined,
  legacy: string[] | undefined,
): Found {
  if (asked.kind === "absent") {
    throw new CniError(
      code.ownNode,
      "the API server has no such Node",
      `${asked.reason}; check ipam.nodeName, $NODE_NAME and kubectl get nodes`,
    );
  }
  if (last && wanted.source.fence?.hasExpired(last, here)) {
    passOver(
      wanted,
      "last-known",
      ageOf(last, here),
    )("blocks of pools are no longer this node's, for all it knows");
    throw wanted.source.fence.refuse(last, here, asked.reason);
  }
  if (last) {
    wanted.log.warn("API server not available, going on with last-known ranges", {
      reason: asked.reason,
      since: last.time,
    });
    return found(wanted, "last-known", last.value, last.node.name, ageOf(last, here));
  }
  passOver(wanted, "last-known")("none is kept that could be used");
  if (legacy) {
    wanted.log.warn("API server not available, going on with the ranges of kube-node.json", {
      reason: asked.reason,
    });
    return found(wanted, "legacy", legacy, "");
  }
  throw new CniError(
    asked.code ?? code.tryAgainLater,
    "the Node's address ranges are not known",
    asked.reason,
  );
}
