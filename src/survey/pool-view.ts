import type { Cidr } from "../address/cidr.ts";
import type { Ip } from "../address/ip.ts";
import { gatewayOf, type Span } from "../address/range.ts";
import type { Run } from "../address/runs.ts";
import { type PoolReference, poolAnnotationKey, poolOfAnnotationKey } from "../api/pool-names.ts";
import { type Block, readBlock } from "../pool/block.ts";
import { countAddressesOf, gatewayOfBlock, usableIn } from "../pool/block-addresses.ts";
import { createPlanner } from "../pool/planner.ts";
import type { Pool } from "../pool/pool.ts";
import type { PoolObjects } from "./pool-objects.ts";
import { labelOfKey } from "./pool-ranges.ts";
import { type NodeRangeSet, rangeSetsOf } from "./range-set.ts";
import type { Survey } from "./survey.ts";

/** A block of a pool that a node has, by its NodeBlock, or, where those can't be read, by the node's annotation. */
export type BlockView = {
  name: string;
  node: string;
  span: Span;
  /** Addresses for pods; the gateway is among them where nothing else keeps it. */
  forPods: Span[];
  /** How many they are without it. */
  size: bigint;
  closing: boolean;
  gateway?: Ip;
};

/** A pool as people see it. What only the pool's object says is undefined where that can't be read, or its spec is at fault. */
export type PoolView = PoolReference & {
  label: string;
  blocks: BlockView[];
  plan?: { network: Cidr; total: bigint; free: bigint; excluded: Span[]; pool: Pool };
};

/** A pool, by its object, its NodeBlocks and its annotations; undefined where there is none of these. */
export function viewPool(
  survey: Survey,
  objects: PoolObjects,
  reference: PoolReference,
): PoolView | undefined {
  const key = poolAnnotationKey(reference);
  const pool = objects.pools.find((one) => isSame(one, reference))?.pool;
  const own = objects.blocks.flatMap((one) =>
    isSame(one.spec.pool, reference) ? (readBlock(one) ?? []) : [],
  );
  const sets = survey.ranges.filter((one) => one.key === key).flatMap(rangeSetsOf);
  const isThere = objects.pools.some((one) => isSame(one, reference)) || own.length + sets.length > 0;
  if (!isThere && !survey.ranges.some((one) => one.key === key)) return undefined;
  const known = new Map(sets.map((set) => [set.block?.name, set]));
  const blocks = objects.isKnown
    ? own.flatMap((block) => viewBlock(block, pool, known.get(block.name)))
    : sets.flatMap(viewAnnotated);
  const plan = pool && planOf(pool, own);
  return { ...reference, label: labelOfKey(key), blocks, ...(plan && { plan }) };
}

/** All pools that there are, by objects or by what nodes have. */
export function viewPools(survey: Survey, objects: PoolObjects): PoolView[] {
  const keys = [
    ...objects.pools.map(poolAnnotationKey),
    ...objects.blocks.map(({ spec }) => poolAnnotationKey(spec.pool)),
    ...survey.ranges.map(({ key }) => key),
  ];
  return [...new Set(keys)].flatMap((key) => {
    const pool = poolOfAnnotationKey(key);
    return (pool && viewPool(survey, objects, pool)) ?? [];
  });
}

export function isSame(one: PoolReference, other: PoolReference): boolean {
  return one.kind === other.kind && one.name === other.name;
}

function viewBlock(block: Block, pool: Pool | undefined, set: NodeRangeSet | undefined): BlockView[] {
  const { name, nodeName: node, span, closing } = block;
  if (!span) return [];
  const gateway = set ? gatewayOfSet(set) : pool && gatewayOfBlock(pool, block);
  const forPods = set?.spans ?? (pool ? toSpans(usableIn(pool, span), span.first.family) : [span]);
  const size = set?.size ?? (pool ? countAddressesOf(pool, block) : span.last.value - span.first.value + 1n);
  return [{ name, node, span, forPods, size, closing, ...(gateway && { gateway }) }];
}

function viewAnnotated(set: NodeRangeSet): BlockView[] {
  const { node, spans, size, block } = set;
  const [first, last] = [spans[0]?.first, spans.at(-1)?.last];
  if (!block || !first || !last) return [];
  const gateway = gatewayOfSet(set);
  return [{ ...block, node, span: { first, last }, forPods: spans, size, ...(gateway && { gateway }) }];
}

function gatewayOfSet({ ranges: [range] }: NodeRangeSet): Ip | undefined {
  return range && gatewayOf(range);
}

function planOf(pool: Pool, blocks: Block[]): PoolView["plan"] {
  const planner = createPlanner(pool);
  for (const block of blocks) planner.occupy(block);
  const excluded = toSpans(pool.excluded, pool.network.ip.family);
  return { network: pool.network, total: planner.total, free: planner.free, excluded, pool };
}

function toSpans(runs: Run[], family: 4 | 6): Span[] {
  return runs.map(({ first, last }) => ({ first: { family, value: first }, last: { family, value: last } }));
}
