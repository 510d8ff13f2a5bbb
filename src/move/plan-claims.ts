import { formatIp } from "../address/ip.ts";
import type { NodeBlock } from "../api/node-block.ts";
import { type NvPool, uidsOfPool } from "../api/nv-ipam.ts";
import { isPoolName } from "../api/pool-kind.ts";
import { nodeBlockName, type PoolReference } from "../api/pool-names.ts";
import { draftBlock } from "../pool/block.ts";
import { countAddressesOf } from "../pool/block-addresses.ts";
import { spanOfBlock } from "../pool/grid.ts";
import { judgeBlock } from "../pool/judge-block.ts";
import type { Pool, PoolNode } from "../pool/pool.ts";
import { readPool } from "../pool/read-pool.ts";
import { specOf } from "./own-object.ts";
import { frozenGridOf } from "./pool-grid.ts";
import { placeAllocation } from "./read-allocation.ts";

/** One of our own pools, as far as the move goes. */
export type OwnPool = PoolReference & { uid: string; annotations: Readonly<Record<string, string>> };

/** What the cluster says beside the pool itself. */
export type Surroundings = {
  nodes: ReadonlyMap<string, PoolNode>;
  blocks: readonly NodeBlock[];
  own: readonly OwnPool[];
};

/**
 * What becomes of one of nv-ipam's pools. With a doubt nothing of it is claimed: `create` is empty then. `notes` say what will be otherwise than
 * it was, and keep nothing from being done.
 */
export type PoolClaims = {
  from: NvPool;
  pool: Pool | undefined;
  /** NodeBlocks to be made, and those of its allocations that are there. */
  create: NodeBlock[];
  there: NodeBlock[];
  doubts: string[];
  notes: string[];
};

/** The UID of a Node that is gone: none has it, so that a Node which comes again under its name doesn't get the block. */
const goneNode = "gone";

/** Makes exactly the allocations into NodeBlocks, or none of them: nothing is moved, nothing is given twice. */
export function planClaims(from: NvPool, surroundings: Surroundings): PoolClaims {
  const read = readPool({ ...from, spec: specOf(from), ...frozenGridOf(from) });
  if (!("pool" in read)) {
    const faults = read.faults.map(({ path, words }) => `spec.${path.join(".")}: ${words}`);
    return {
      from,
      pool: undefined,
      create: [],
      there: [],
      doubts: [...standing(from, surroundings), ...faults],
      notes: [],
    };
  }
  const { pool } = read;
  const placed = from.allocations.map((raw) => placeAllocation(pool, raw));
  const good = placed.flatMap((one) => ("doubt" in one ? [] : [one]));
  const known = new Map(surroundings.blocks.map((block) => [block.metadata.name, block]));
  const uids = uidsIn(from, surroundings);
  const doubts = [
    ...standing(from, surroundings),
    ...placed.flatMap((one) => ("doubt" in one ? [one.doubt] : [])),
    ...twice(pool, good, known),
    ...contradictions(pool, good),
    ...foreign(from, uids, good, surroundings.blocks),
  ];
  const blocks = good.map(({ nodeName, index }) =>
    draftBlock(pool, { name: nodeName, uid: surroundings.nodes.get(nodeName)?.uid ?? goneNode }, index),
  );
  const there = blocks.flatMap(({ metadata }) => known.get(metadata.name) ?? []);
  const missing = blocks.filter(({ metadata }) => !known.has(metadata.name));
  return {
    from,
    pool,
    create: doubts.length > 0 ? [] : missing,
    there,
    doubts,
    notes: notesOn(pool, good, surroundings.nodes),
  };
}

/** Doubts about the object itself. */
function standing(from: NvPool, { own }: Surroundings): string[] {
  const { kind, name, uid } = from;
  const ours = own.find((one) => one.kind === kind && one.name === name);
  const isMade = ours === undefined || uidsOfPool(ours).includes(uid) || uidsOfPool(from).includes(ours.uid);
  return [
    ...(isPoolName(name)
      ? []
      : [
          "its name is longer than 63 characters, or no name for an annotation's key: make a pool with another one",
        ]),
    // One that ours was made from may go.
    ...(from.deleting && !(ours && isMade) ? ["it is being deleted"] : []),
    ...(isMade
      ? []
      : [
          `there is another ${kind} ${name} in ipam.kube-node.io, which was not made from it: rename one of them`,
        ]),
  ];
}

/** All UIDs by which NodeBlocks are this pool's: those of the object that it became, too. */
function uidsIn(from: NvPool, { own }: Surroundings): Set<string> {
  const ours = own.find((one) => one.kind === from.kind && one.name === from.name);
  return new Set([...uidsOfPool(from), ...(ours ? uidsOfPool(ours) : [])]);
}

type Placed = { nodeName: string; index: bigint };

function twice(pool: Pool, placed: Placed[], known: ReadonlyMap<string, NodeBlock>): string[] {
  const isClaimed = ({ nodeName, index }: Placed) =>
    known.get(nodeBlockName(pool, index))?.spec.nodeName === nodeName;
  const byIndex = Map.groupBy(placed, ({ index }) => index);
  const byNode = Map.groupBy(placed, ({ nodeName }) => nodeName);
  return [
    ...[...byIndex].flatMap(([index, all]) =>
      all.length > 1
        ? [
            `${nameOf(pool, index)} is given to ${all.map(({ nodeName }) => nodeName).join(" and ")}: drain all but one of them, and remove their allocations`,
          ]
        : [],
    ),
    ...[...byNode].flatMap(([nodeName, all]) =>
      all.length > 1 && !all.every(isClaimed) && new Set(all.map(({ index }) => index)).size > 1
        ? [
            `${nodeName} has ${all.map(({ index }) => nameOf(pool, index)).join(" and ")}: remove the allocation that it doesn't use`,
          ]
        : [],
    ),
  ];
}

function nameOf({ grid }: Pool, index: bigint): string {
  const { first, last } = spanOfBlock(grid, index);
  return `${formatIp(first)}-${formatIp(last)}`;
}

function contradictions(pool: Pool, placed: Placed[]): string[] {
  return placed.flatMap(({ nodeName, index }) => {
    const { doubt } = judgeBlock(pool, blockAt(pool, nodeName, index));
    const words = `${nameOf(pool, index)} of ${nodeName}`;
    if (doubt === "kept for another")
      return [`${words}: staticAllocations keep it for another node, or for none`];
    if (doubt === "static elsewhere") return [`${words}: staticAllocations give this node another prefix`];
    return [];
  });
}

function blockAt(pool: Pool, nodeName: string, index: bigint) {
  const span = spanOfBlock(pool.grid, index);
  const name = nodeBlockName(pool, index);
  return { name, pool, index, span, nodeName, nodeUID: "", closing: false };
}

/** NodeBlocks that are there and say otherwise. */
function foreign(from: NvPool, uids: Set<string>, placed: Placed[], blocks: readonly NodeBlock[]): string[] {
  const ofName = blocks.filter(({ spec }) => spec.pool.kind === from.kind && spec.pool.name === from.name);
  const wanted = new Map(placed.map(({ nodeName, index }) => [nodeBlockName(from, index), nodeName]));
  const served = new Set(
    ofName.flatMap(({ metadata, spec }) =>
      wanted.get(metadata.name) === spec.nodeName ? [spec.nodeName] : [],
    ),
  );
  const places = new Map(placed.map(({ nodeName, index }) => [nodeName, index]));
  return ofName.flatMap(({ metadata: { name }, spec: { nodeName, pool, closing } }) => {
    if (!uids.has(pool.uid))
      return [`NodeBlock ${name} of ${nodeName} is of another pool that had this name`];
    const owner = wanted.get(name);
    if (owner !== undefined && owner !== nodeName)
      return [`NodeBlock ${name} is ${nodeName}'s, and the allocation says ${owner}`];
    const isOther = owner === undefined && places.has(nodeName) && !served.has(nodeName) && !closing;
    return isOther ? [`${nodeName} has NodeBlock ${name}, and another block by its allocation`] : [];
  });
}

/** What goes on otherwise than before. */
function notesOn(pool: Pool, placed: Placed[], nodes: ReadonlyMap<string, PoolNode>): string[] {
  return placed.flatMap(({ nodeName, index }) => {
    const node = nodes.get(nodeName);
    const block = blockAt(pool, nodeName, index);
    const words = `${nameOf(pool, index)} of ${nodeName}`;
    if (!node) return [`${words}: there is no such Node; kept for blockReleaseDelay (24h), then free`];
    if (!pool.selects(node))
      return [
        `${words}: nodeSelector doesn't select it any more; its pods stay, new ones get no address of it`,
      ];
    if (countAddressesOf(pool, block) === 0n)
      return [`${words}: all of it is excluded; its pods stay, new ones get no address of it`];
    return [];
  });
}
