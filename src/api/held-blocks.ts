import { contains, parseCidr } from "../address/cidr.ts";
import { parseIp } from "../address/ip.ts";
import { isObject } from "../text/json.ts";
import { parseNodeBlockName } from "./pool-names.ts";

/**
 * The Node's annotation by which its agent says which blocks it holds leases of, though no pool annotation of its Node names them any more:
 * etcd was restored from an old backup. JSON, a list. `kubectl kube-node rebuild` makes their NodeBlocks again; then the agent takes it away.
 */
export const heldBlocksKey = "ipam.kube-node.io/held";

export type HeldBlock = {
  /** The NodeBlock's name: `ippool.a.3`. */
  name: string;
  /** The network whose prefix length its pods have. */
  subnet: string;
  /** Its lowest and its highest address for pods, as the node last read them: exclusions may lie outside of them, in the block. */
  first: string;
  last: string;
  /** Addresses that are leased out of it. */
  used: number;
  /** The Node's UID as the agent read it with the block: the one that a backup may have forgotten. */
  nodeUID: string;
};

export function formatHeldBlocks(blocks: readonly HeldBlock[]): string {
  return JSON.stringify(blocks);
}

/** What the annotation says; throws an Error with the reason where it is malformed. */
export function parseHeldBlocks(text: string): HeldBlock[] {
  const list = readJson(text);
  if (!Array.isArray(list)) throw new Error("expected a JSON list of blocks");
  return list.map((item, at) => {
    const fault = faultOf(item);
    if (fault !== undefined) throw new Error(`[${at}]${fault}`);
    const { name, subnet, first, last, used, nodeUID } = item as HeldBlock;
    return { name, subnet, first, last, used, nodeUID };
  });
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error("expected JSON");
  }
}

function faultOf(item: unknown): string | undefined {
  if (!isObject(item)) return ": expected an object";
  const { name, subnet, used, nodeUID } = item;
  if (typeof name !== "string" || !parseNodeBlockName(name))
    return ".name: expected a NodeBlock's name such as ippool.a.3";
  const cidr = typeof subnet === "string" ? parseCidr(subnet) : undefined;
  if (!cidr) return ".subnet: expected a network such as 10.1.0.0/16";
  const [first, last] = [item["first"], item["last"]].map((text) =>
    typeof text === "string" ? parseIp(text) : undefined,
  );
  if (!first || !contains(cidr, first)) return `.first: expected an address in ${subnet}`;
  if (!last || !contains(cidr, last) || last.value < first.value)
    return `.last: expected an address in ${subnet}, not before .first`;
  if (!Number.isSafeInteger(used) || (used as number) < 0) return ".used: expected a number of addresses";
  if (typeof nodeUID !== "string" || nodeUID === "") return ".nodeUID: expected the Node's UID";
  return undefined;
}
