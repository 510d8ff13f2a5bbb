import { CniError, code } from "../cni/error.ts";
import type { JsonObject } from "../text/json.ts";
import { type AgentNode, readAgentFile } from "./agent-file.ts";
import type { Asked } from "./ask.ts";
import { type LastAnswer, readLastAnswer } from "./last-answer.ts";
import { readLegacyCache } from "./legacy-cache.ts";
import type { NodeValue } from "./source.ts";
import { type Here, readHere, type Wanted } from "./wanted.ts";

/** A network's ranges on this node, as keys of a delegate's `ipam`, and where they came from. */
export type Found = {
  ipam: JsonObject;
  node: string;
  origin: "agent" | "fresh" | "asked" | "last-known" | "legacy";
};

/** The agent's word, else a fresh answer of before, else the API server's, else what was last known. */
export async function findRanges(wanted: Wanted): Promise<Found> {
  const here = readHere();
  const agent = readAgentFile(here);
  if (agent && isOwn(agent, wanted)) return found(wanted, "agent", wanted.source.pick(agent), agent.name);
  const last = lastAnswerFor(wanted, here);
  if (last && isFresh(last, here, wanted.cacheTTL)) return found(wanted, "fresh", last.value, last.node.name);
  const legacy = last ? undefined : readLegacy(wanted);
  const { ask } = await import("./ask.ts");
  const asked = await ask(wanted, here, last, last !== undefined || legacy !== undefined);
  if (asked.kind === "answer") return found(wanted, "asked", asked.value, asked.node);
  return standIn(wanted, asked, last, legacy);
}

/** What DEL and CHECK go by where no record says more: never a request. */
export function lastKnownRanges(wanted: Wanted): JsonObject | undefined {
  const last = lastAnswerFor(wanted, readHere());
  const value = last?.value ?? readLegacy(wanted);
  if (value === undefined || value === null) return undefined;
  try {
    return wanted.source.parse(value, last?.node.name ?? "");
  } catch {
    return undefined; // What can't be parsed now could not be leased from either.
  }
}

function found(wanted: Wanted, origin: Found["origin"], value: NodeValue, node: string): Found {
  wanted.log.debug("node ranges", { source: wanted.source.label, origin, node, value });
  return { ipam: wanted.source.parse(value, node), node, origin };
}

function isOwn(agent: AgentNode, { nodeName, env }: Wanted): boolean {
  const given = nodeName ?? env["NODE_NAME"];
  return !given || given === agent.name;
}

/** An answer for the Node that the configuration names; a name that changed since makes it another's. */
function lastAnswerFor({ stateFolder, source, nodeName, env }: Wanted, here: Here): LastAnswer | undefined {
  const last = readLastAnswer(stateFolder, source.label, here.machineIDs);
  const given = nodeName ?? env["NODE_NAME"];
  return !given || given === last?.node.name ? last : undefined;
}

function isFresh(last: LastAnswer, here: Here, ttl: number): boolean {
  return last.bootID === here.bootID && here.uptime - last.at < ttl;
}

function readLegacy({ legacy, network }: Wanted): string[] | undefined {
  return legacy && readLegacyCache(legacy.dataDir, network);
}

function standIn(
  wanted: Wanted,
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
  if (last) {
    wanted.log.warn("API server not available, going on with last-known ranges", {
      reason: asked.reason,
      since: last.time,
    });
    return found(wanted, "last-known", last.value, last.node.name);
  }
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
