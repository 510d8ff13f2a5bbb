import {
  formatPoolAnnotation,
  type PoolAnnotation,
  type PoolAnnotationBlock,
} from "../api/pool-annotation.ts";
import { poolAnnotationKey, poolKey } from "../api/pool-names.ts";
import { projectBlocks } from "../pool/project-blocks.ts";
import { type Carried, carriedBy } from "./carried.ts";
import type { Cluster } from "./cluster.ts";
import type { PoolEntry } from "./pool-entry.ts";
import { owns } from "./pool-pairs.ts";
import { projectClosing } from "./project-closing.ts";
import type { BlockRecord, NodeRecord } from "./records.ts";
import { isTold } from "./told-blocks.ts";

/** What a Node's annotations are to say: `texts` by key; `left` are keys that are nobody's business of ours, and stay as they are. */
export type Projection = { texts: Record<string, string>; left: Set<string> };

/**
 * Of each pool the Node's blocks: open ones and closing ones that its agent hasn't drained yet. `lost`: blocks that the Node carries and
 * the API server doesn't know; they stay. Where a pool can't be planned with, what is carried stays too, but for blocks that close.
 */
export function projectNode(cluster: Cluster, node: NodeRecord, lost: ReadonlySet<string>): Projection {
  const projection: Projection = { texts: {}, left: new Set() };
  const carried = new Map(carriedBy(node).map((one) => [poolKey(one.pool), one]));
  const shown = cluster
    .blocksOfNode(node.name)
    .filter((block) => isShown(block) && !isWaiting(cluster, block, carried.get(poolKey(block.pool))));
  const blocks = Map.groupBy(shown, ({ pool }) => poolKey(pool));
  for (const key of new Set([...blocks.keys(), ...carried.keys()])) {
    const own = blocks.get(key) ?? [];
    const there = carried.get(key);
    const entry = cluster.pools.get(key);
    const reference = there?.pool ?? (own[0] as BlockRecord).pool;
    const annotation = entry?.pool
      ? fromBlocks(cluster, entry, node, own, there, lost)
      : fromCarried(own, there, cluster, node);
    if (annotation === "leave") projection.left.add(poolAnnotationKey(reference));
    else if (annotation && annotation.blocks.length > 0)
      projection.texts[poolAnnotationKey(reference)] = formatPoolAnnotation(annotation);
  }
  return projection;
}

/** Nothing that it carries is taken from it. */
function isWaiting(cluster: Cluster, block: BlockRecord, there: Carried | undefined): boolean {
  if (block.closing || isTold(cluster, block)) return false;
  if (there?.says?.blocks.some(({ name }) => name === block.name)) return false;
  cluster.serving.wait(poolKey(block.pool), block.nodeName);
  return true;
}

/** A block is taken out once its agent said that it is empty: then it can be deleted. */
export function isShown({ closing, status }: BlockRecord): boolean {
  return !(closing && status.drained === true);
}

function fromBlocks(
  cluster: Cluster,
  { pool, record }: PoolEntry,
  node: NodeRecord,
  all: BlockRecord[],
  there: Carried | undefined,
  lost: ReadonlySet<string>,
): PoolAnnotation | undefined {
  if (!pool) return undefined;
  const own = all.filter((block) => owns(record, block.pool.uid));
  const annotation = projectBlocks(pool, node.uid, own);
  const others = new Set(all.filter((block) => isAnothers(cluster, block, record)).map(({ name }) => name));
  const kept = there?.says?.blocks.filter(({ name }) => lost.has(name) || others.has(name)) ?? [];
  const foreign = all.filter((block) => !owns(record, block.pool.uid) && !others.has(block.name));
  const ended = foreign.flatMap((block) => projectClosing(block) ?? []);
  return { ...annotation, blocks: [...annotation.blocks, ...kept, ...ended] };
}

/** What it carries stays. */
function isAnothers({ pairs }: Cluster, block: BlockRecord, record: PoolEntry["record"]): boolean {
  return !block.closing && !owns(record, block.pool.uid) && pairs.mayHave(block);
}

/** An invalid spec frees nothing: the text stays, but that a block closes is said even so. */
function fromCarried(
  own: BlockRecord[],
  there: Carried | undefined,
  cluster: Cluster,
  node: NodeRecord,
): PoolAnnotation | "leave" | undefined {
  const ended = own.filter((block) => isClosingFor(block, node));
  const closing = new Set(ended.map(({ name }) => name));
  const says = there?.says ?? { version: 1, nodeUID: node.uid, holdsFor: 0, blocks: [] };
  const carried = says.blocks.flatMap((block): PoolAnnotationBlock[] => {
    const record = cluster.blocks.get(block.name);
    if (record && record.nodeName === node.name && !isShown(record)) return [];
    return [closing.has(block.name) ? { ...block, closing: true } : block];
  });
  const known = new Set(says.blocks.map(({ name }) => name));
  const others = ended.filter(({ name }) => !known.has(name)).flatMap((block) => projectClosing(block) ?? []);
  if (there && !there.says && others.length === 0) return "leave";
  return { ...says, blocks: [...carried, ...others] };
}

function isClosingFor({ closing, nodeUID }: BlockRecord, node: NodeRecord): boolean {
  return closing || nodeUID !== node.uid;
}
