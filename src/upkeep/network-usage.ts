import { CniError } from "../cni/error.ts";
import { machineIDs } from "../host/machine.ts";
import type { NodeFacts } from "../kube/node.ts";
import { readInventory } from "../lease/inventory.ts";
import { byBlock, type RangeUse, rangeUse } from "../lease/range-use.ts";
import { readLastAnswer } from "../ranges/last-answer.ts";
import type { NodeValue } from "../ranges/source.ts";
import { type Place, rangesOf } from "./networks.ts";
import { usesOf } from "./range-uses.ts";
import type { ServedNetwork } from "./served-networks.ts";

/**
 * A network's ranges and what is used of them. `from`: the Node as its watch has it, the answer that the plugin kept,
 * its records where no configuration tells of the network, or why there are none. `answeredAt` is when that answer was given, in seconds of uptime, where it was in this boot.
 */
export type NetworkUsage = {
  network: string;
  dataDir: string;
  source: string;
  from: "node" | "last-known" | "records" | "none" | "malformed";
  fault?: string;
  answeredAt?: number;
  uses: RangeUse[];
};

export function usageOf(served: ServedNetwork, node: NodeFacts | undefined, bootID: string): NetworkUsage {
  const { network, dataDir, request } = served;
  const base = { network, dataDir, source: request.source.label, uses: [] };
  const kept = node ? undefined : readLastAnswer(request.state.folder, request.source.label, machineIDs());
  const value: NodeValue = node ? request.source.pick(node) : (kept?.value ?? null);
  const answered = kept && kept.bootID === bootID ? { answeredAt: kept.at } : {};
  if (value === null) return { ...base, ...answered, from: "none" };
  try {
    const uses = byBlock(usesOf(request, request.source.parse(value, node?.name ?? kept?.node.name ?? "")));
    return { ...base, ...answered, from: node ? "node" : "last-known", uses };
  } catch (error) {
    if (!(error instanceof CniError)) throw error;
    const fault = error.details ? `${error.message}: ${error.details}` : error.message;
    return { ...base, ...answered, from: "malformed", fault };
  }
}

/** Of a network that keeps something here, though no configuration tells of it. */
export function usageOfRecords({ network, dataDir }: Place): NetworkUsage {
  const unjudged = { state: "unknown", reason: "" } as const;
  const inventory = readInventory(network, { dataDir, judge: () => unjudged });
  const uses = rangeUse(rangesOf(inventory), inventory);
  return { network, dataDir, source: "records", from: uses.length > 0 ? "records" : "none", uses };
}
