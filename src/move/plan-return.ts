import type { NodeBlock } from "../api/node-block.ts";
import {
  movedFromKey,
  type NvAllocation,
  type NvPool,
  poolFinalizer,
  poolGridKey,
  uidsOfPool,
} from "../api/nv-ipam.ts";
import { type Block, readBlock } from "../pool/block.ts";
import { isOnGrid } from "../pool/block-addresses.ts";
import { byIndex } from "../pool/judge-node.ts";
import type { Pool, PoolNode } from "../pool/pool.ts";
import { readPool } from "../pool/read-pool.ts";
import { formatAllocation } from "./format-allocation.ts";
import { nvObjectOf, type OwnObject, type PoolDraft } from "./own-object.ts";
import { frozenGridOf } from "./pool-grid.ts";
import { placeAllocation } from "./read-allocation.ts";

/**
 * How one pool goes back to nv-ipam. With a doubt nothing of it is touched. `object` is nv-ipam's pool to be made again, where it is gone;
 * `allocations` what its status is to say, and `missing` those blocks of it that it doesn't say yet.
 */
export type PoolReturn = {
  nv: NvPool | undefined;
  own: OwnObject | undefined;
  object: PoolDraft | undefined;
  pool: Pool | undefined;
  allocations: NvAllocation[];
  missing: Block[];
  blocks: NodeBlock[];
  /** The same, read; in the order of their places. */
  readable: Block[];
  doubts: string[];
  notes: string[];
};

type Parts = {
  nv: NvPool | undefined;
  own: OwnObject | undefined;
  namespace: string;
  nodes: ReadonlyMap<string, PoolNode>;
  blocks: readonly NodeBlock[];
};

/** All NodeBlocks become allocations as they are, or none of them does. Undefined for a pool that never was nv-ipam's. */
export function planReturn({ nv, own, namespace, nodes, blocks: all }: Parts): PoolReturn | undefined {
  const from = nv ?? own;
  if (!from || (!nv && own?.annotations[movedFromKey] === undefined)) return undefined;
  const isOther = nv && own && !isSamePool(nv, own);
  if (isOther && !isMarked(nv)) return undefined;
  const blocks = all.filter(({ spec }) => spec.pool.kind === from.kind && spec.pool.name === from.name);
  const frozen = nv ? frozenGridOf(nv) : own?.grid && { frozen: own.grid };
  const read = readPool({ ...from, ...frozen });
  const nothing = {
    nv,
    own,
    object: undefined,
    allocations: [],
    missing: [],
    blocks,
    readable: [],
    notes: [],
  };
  if (!("pool" in read)) {
    const doubts = read.faults.map(({ path, words }) => `spec.${path.join(".")}: ${words}`);
    return { ...nothing, pool: undefined, doubts };
  }
  const { pool } = read;
  if (isOther) {
    const doubts = [`${own.kind} ${own.name} of ipam.kube-node.io was not made from it: rename one of them`];
    return { ...nothing, pool, doubts };
  }
  const readable = blocks.flatMap((block) => readBlock(block) ?? []).sort(byIndex);
  const doubts = [...strangers(nv, own, readable), ...misfits(pool, readable, nodes)];
  if (doubts.length > 0) return { ...nothing, pool, doubts };
  const said = nv?.allocations ?? [];
  return {
    ...nothing,
    object: !nv && own ? nvObjectOf(own, pool, namespace) : undefined,
    pool,
    allocations: allocationsOf(pool, readable, said),
    readable,
    missing: readable.filter((block) => !isSaid(pool, block, said)),
    doubts,
    notes: [...lostKeys(nv?.spec ?? own?.spec ?? {}), ...goneNodes(readable, nodes)],
  };
}

function isSamePool(nv: NvPool, own: OwnObject): boolean {
  return uidsOfPool(own).includes(nv.uid) || uidsOfPool(nv).includes(own.uid);
}

/** Whether something of ours is on nv-ipam's object. */
export function isMarked({ finalizers, annotations }: NvPool): boolean {
  return (
    finalizers.includes(poolFinalizer) ||
    annotations[poolGridKey] !== undefined ||
    annotations[movedFromKey] !== undefined
  );
}

/** nv-ipam's `status.allocations`: what it says of nodes and places that no NodeBlock has stays, in its order. */
function allocationsOf(pool: Pool, blocks: readonly Block[], said: readonly unknown[]): NvAllocation[] {
  const byNode = new Map(blocks.map((block) => [block.nodeName, block]));
  const taken = new Set(blocks.map(({ index }) => index));
  const kept = said.flatMap((raw): NvAllocation[] => {
    const placed = placeAllocation(pool, raw);
    if ("doubt" in placed) return [];
    const block = byNode.get(placed.nodeName);
    if (block) byNode.delete(placed.nodeName);
    if (block) return [formatAllocation(pool, block)];
    return taken.has(placed.index) ? [] : [raw as NvAllocation];
  });
  return [...kept, ...[...byNode.values()].map((block) => formatAllocation(pool, block))];
}

function isSaid(pool: Pool, { nodeName, index }: Block, said: readonly unknown[]): boolean {
  return said.some((raw) => {
    const placed = placeAllocation(pool, raw);
    return !("doubt" in placed) && placed.nodeName === nodeName && placed.index === index;
  });
}

function strangers(nv: NvPool | undefined, own: OwnObject | undefined, blocks: Block[]): string[] {
  const uids = new Set([...(nv ? uidsOfPool(nv) : []), ...(own ? uidsOfPool(own) : [])]);
  return blocks.flatMap(({ name, nodeName, pool }) =>
    uids.has(pool.uid) ? [] : [`NodeBlock ${name} of ${nodeName} is of another pool that had this name`],
  );
}

/** nv-ipam frees at once what its rules don't keep, in use or not: such blocks must have come back before. */
function misfits(pool: Pool, blocks: Block[], nodes: ReadonlyMap<string, PoolNode>): string[] {
  const byNode = Map.groupBy(blocks, ({ nodeName }) => nodeName);
  const several = [...byNode].flatMap(([nodeName, all]) =>
    all.length > 1
      ? [
          `${nodeName} has ${all.map(({ name }) => name).join(" and ")}, and nv-ipam knows one a node: wait until one is given back, or drain the node`,
        ]
      : [],
  );
  return [
    ...several,
    ...blocks.flatMap((block) => {
      const { name, nodeName, closing } = block;
      const node = nodes.get(nodeName);
      if (!isOnGrid(pool.grid, block) || block.index >= pool.grid.count)
        return [`${name} of ${nodeName} isn't where the spec of nv-ipam's pool has that block`];
      if (closing)
        return [`${name} of ${nodeName} is being given back: wait until it is gone, or drain the node`];
      if (node && !pool.selects(node))
        return [`${name}: nodeSelector doesn't select ${nodeName}: drain it, or select it`];
      return [];
    }),
  ];
}

const ourKeys = ["perNodeReserved", "blockReleaseDelay", "blockHoldTime"];

function lostKeys(spec: Readonly<Record<string, unknown>>): string[] {
  return ourKeys
    .filter((key) => spec[key] !== undefined)
    .map((key) => `spec.${key}: nv-ipam doesn't know it, and does without`);
}

function goneNodes(blocks: Block[], nodes: ReadonlyMap<string, PoolNode>): string[] {
  return blocks.flatMap(({ name, nodeName }) =>
    nodes.has(nodeName) ? [] : [`${name}: there is no Node ${nodeName}, so nv-ipam frees it at once`],
  );
}
