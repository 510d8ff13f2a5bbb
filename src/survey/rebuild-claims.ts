import { formatIp, type Ip, parseIp } from "../address/ip.ts";
import { heldBlocksKey, parseHeldBlocks } from "../api/held-blocks.ts";
import type { PoolAnnotationBlock } from "../api/pool-annotation.ts";
import { parsePoolRange } from "../api/pool-annotation.ts";
import { type PoolReference, parseNodeBlockName, poolOfAnnotationKey } from "../api/pool-names.ts";
import { type NodeFacts, readAnnotation } from "./node-ranges.ts";
import { labelOfKey } from "./pool-ranges.ts";
import { isSame } from "./pool-view.ts";

/** A block that a node says it has: by its pool annotation, or by what its agent finds leased on its disk. */
export type Claim = {
  name: string;
  pool: PoolReference;
  index: bigint;
  node: string;
  /** The Node that it was given to; an earlier one of that name, where the agent says so. */
  nodeUID: string;
  closing: boolean;
  /** The lowest and the highest address that pods get of it; none where all are excluded. */
  ends: { first: Ip; last: Ip } | undefined;
};

export type Claims = { claims: Claim[]; faults: string[] };

/** Annotations that rebuild reads. */
export function isClaiming(key: string): boolean {
  return key === heldBlocksKey || poolOfAnnotationKey(key) !== undefined;
}

/** Pools that a Node names in what rebuild reads, be it malformed or another Node's. */
export function poolsNamedBy(node: NodeFacts): PoolReference[] {
  const annotated = Object.keys(node.annotations).flatMap((key) => poolOfAnnotationKey(key) ?? []);
  return [...annotated, ...readClaims(node).claims.map(({ pool }) => pool)];
}

/** All that a Node claims, each block once; `faults` are sentences on what can't be used. */
export function readClaims(node: NodeFacts): Claims {
  const read = Object.entries(node.annotations).map(([key, text]) =>
    key === heldBlocksKey ? readHeld(node, text) : readPoolClaims(node, key, text),
  );
  const all = read.flatMap(({ claims }) => claims);
  return { claims: [...mergeByName(all).values()], faults: read.flatMap(({ faults }) => faults) };
}

function readPoolClaims(node: NodeFacts, key: string, text: string): Claims {
  const pool = poolOfAnnotationKey(key);
  if (!pool) return { claims: [], faults: [] };
  const found = readAnnotation(node.name, key, text, { uid: node.uid });
  const where = `${labelOfKey(key)} of ${node.name}`;
  if (found.malformed !== undefined || !found.pool)
    return { claims: [], faults: [`${where}: ${found.malformed}`] };
  const blocks = found.pool.blocks.map((block) => ({ block, named: parseNodeBlockName(block.name) }));
  return {
    claims: blocks.flatMap(({ block, named }) =>
      named && isSame(named, pool) ? [claimOf(block, named, node)] : [],
    ),
    faults: blocks.flatMap(({ block, named }) =>
      named && isSame(named, pool) ? [] : [`${where}: ${block.name} is no block of this pool`],
    ),
  };
}

function claimOf(
  block: PoolAnnotationBlock,
  named: PoolReference & { index: bigint },
  node: NodeFacts,
): Claim {
  const spans = block.ranges.flatMap((text) => parsePoolRange(text) ?? []);
  const [first, last] = [spans[0]?.first, spans.at(-1)?.last];
  return {
    name: block.name,
    pool: { kind: named.kind, name: named.name },
    index: named.index,
    node: node.name,
    nodeUID: node.uid,
    closing: block.closing === true,
    ends: first && last && { first, last },
  };
}

function readHeld(node: NodeFacts, text: string): Claims {
  try {
    const claims = parseHeldBlocks(text).map(({ name, first, last, nodeUID }): Claim => {
      const { kind, name: pool, index } = parseNodeBlockName(name) as PoolReference & { index: bigint };
      const ends = { first: parseIp(first) as Ip, last: parseIp(last) as Ip };
      return { name, pool: { kind, name: pool }, index, node: node.name, nodeUID, closing: false, ends };
    });
    return { claims, faults: [] };
  } catch (error) {
    return { claims: [], faults: [`${heldBlocksKey} of ${node.name}: ${(error as Error).message}`] };
  }
}

/** A block that the annotation and the agent both name: the annotation knows more of it. */
function mergeByName(claims: Claim[]): Map<string, Claim> {
  const order = claims.toSorted((a, b) => Number(a.closing) - Number(b.closing));
  return new Map(order.map((claim) => [claim.name, claim]));
}

export function formatEnds({ ends }: Claim): string {
  return ends ? `${formatIp(ends.first)}-${formatIp(ends.last)}` : "no addresses";
}
