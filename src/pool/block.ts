import { formatIp, parseIp } from "../address/ip.ts";
import type { Span } from "../address/range.ts";
import type { NodeBlock } from "../api/node-block.ts";
import { nodeBlockName, type PoolReference, parseNodeBlockName, poolApiVersion } from "../api/pool-names.ts";
import { spanOfBlock } from "./grid.ts";
import type { Pool, PoolNode } from "./pool.ts";

/** A NodeBlock, read once. Pool and index are its name's, since the name is the claim. */
export type Block = {
  name: string;
  pool: PoolReference & { uid: string };
  index: bigint;
  /** Undefined where the document's addresses make no sense. */
  span: Span | undefined;
  nodeName: string;
  nodeUID: string;
  /** Seconds that its node may ever have been told to use it for without a word of the API server; undefined in one made by hand. */
  holdsFor?: number;
  closing: boolean;
};

/** Undefined where the document's name isn't one that claims anything. */
export function readBlock({ metadata: { name }, spec }: NodeBlock): Block | undefined {
  const claim = parseNodeBlockName(name);
  if (!claim) return undefined;
  return {
    name,
    pool: { kind: claim.kind, name: claim.name, uid: spec.pool.uid },
    index: claim.index,
    span: spec.index === String(claim.index) ? readSpan(spec.first, spec.last) : undefined,
    nodeName: spec.nodeName,
    nodeUID: spec.nodeUID,
    ...(spec.holdsFor !== undefined && { holdsFor: spec.holdsFor }),
    closing: spec.closing === true,
  };
}

function readSpan(from: string, to: string): Span | undefined {
  const [first, last] = [parseIp(from), parseIp(to)];
  return first && last && first.family === last.family && first.value <= last.value
    ? { first, last }
    : undefined;
}

/** The NodeBlock whose creation claims a place for a Node. */
export function draftBlock(pool: Pool, node: Pick<PoolNode, "name" | "uid">, index: bigint): NodeBlock {
  const { first, last } = spanOfBlock(pool.grid, index);
  return {
    apiVersion: poolApiVersion,
    kind: "NodeBlock",
    metadata: { name: nodeBlockName(pool, index) },
    spec: {
      pool: { kind: pool.kind, name: pool.name, uid: pool.uid },
      index: String(index),
      first: formatIp(first),
      last: formatIp(last),
      nodeName: node.name,
      nodeUID: node.uid,
      holdsFor: pool.holdsFor,
    },
  };
}
