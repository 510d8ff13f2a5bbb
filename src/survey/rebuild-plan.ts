import { isInside, overlaps, type Span } from "../address/range.ts";
import type { NodeBlock } from "../api/node-block.ts";
import type { PoolReference } from "../api/pool-names.ts";
import { setBackTime } from "../api/set-back.ts";
import { draftBlock, readBlock } from "../pool/block.ts";
import { spanOfBlock } from "../pool/grid.ts";
import type { Pool } from "../pool/pool.ts";
import type { NodeFacts } from "./node-ranges.ts";
import type { PoolObject, PoolObjects } from "./pool-objects.ts";
import { isSame } from "./pool-view.ts";
import { type Claim, formatEnds, readClaims } from "./rebuild-claims.ts";

/**
 * NodeBlocks to be made, how many are there already, and sentences on what can't be made: claimed twice, or not fitting. `setBack`: pools
 * that wait until a person says that everything lost is rebuilt.
 */
export type RebuildPlan = {
  create: NodeBlock[];
  there: number;
  conflicts: string[];
  faults: string[];
  setBack: PoolObject[];
};

/**
 * What is missing after a restore of etcd: NodeBlocks of blocks that nodes use. NodeBlocks have to be read before the Nodes: an annotation
 * loses a block before its NodeBlock goes, so that none that was given back in the meantime comes again.
 */
export function planRebuild(
  nodes: NodeFacts[],
  objects: PoolObjects,
  isWanted: (pool: PoolReference) => boolean,
): RebuildPlan {
  const read = nodes.map(readClaims);
  const claims = read.flatMap((one) => one.claims).filter(({ pool }) => isWanted(pool));
  const plan: RebuildPlan = {
    create: [],
    there: 0,
    conflicts: [],
    faults: read.flatMap((one) => one.faults),
    setBack: objects.pools.filter((pool) => isWanted(pool) && setBackTime(pool.status) !== undefined),
  };
  const known = new Map(objects.blocks.map((block) => [block.metadata.name, block]));
  const astray = findAstray(objects);
  for (const [name, all] of Map.groupBy(claims, (claim) => claim.name)) {
    const owner = known.get(name)?.spec.nodeName;
    const others = all.filter(({ node }) => node !== (owner ?? all[0]?.node));
    if (others.length > 0) plan.conflicts.push(describeConflict(name, owner, all));
    if (owner !== undefined) plan.there += all.length - others.length;
    else if (others.length === 0) add(plan, all[0] as Claim, objects.pools, astray);
  }
  return plan;
}

function describeConflict(name: string, owner: string | undefined, claims: Claim[]): string {
  const who = claims.map((claim) => `${claim.node} (${formatEnds(claim)})`).join(" and ");
  if (owner === undefined) return `${name} is claimed by ${who}: drain all but one of these nodes`;
  const others = claims.filter(({ node }) => node !== owner).map(({ node }) => node);
  return `${name} is ${owner}'s, and claimed by ${others.join(" and ")} too: drain ${others.join(" and ")}`;
}

function add(plan: RebuildPlan, claim: Claim, pools: PoolObject[], astray: Astray[]): void {
  const made = blockOf(
    claim,
    pools.find((pool) => isSame(pool, claim.pool)),
  );
  if (typeof made === "string") {
    plan.faults.push(`${claim.name} of ${claim.node}: ${made}`);
    return;
  }
  const other = astray.find(({ span }) => overlaps(span, made.span));
  if (other)
    plan.conflicts.push(
      `${claim.name} of ${claim.node} overlaps with NodeBlock ${other.name} of ${other.node}`,
    );
  else plan.create.push(made.block);
}

/** The NodeBlock of a claim, or why there can be none. */
function blockOf(claim: Claim, object: PoolObject | undefined): { block: NodeBlock; span: Span } | string {
  const { kind, name } = claim.pool;
  if (!object) return `there is no ${kind} ${name}: apply it first`;
  if (!object.pool) {
    const [fault] = object.faults;
    return `the spec of ${kind} ${name} is at fault${fault ? ` (${fault.path.join(".")}: ${fault.words})` : ""}: mend it first`;
  }
  const { grid } = object.pool;
  const span = spanOfBlock(grid, claim.index);
  const isFitting = !claim.ends || (isInside(span, claim.ends.first) && isInside(span, claim.ends.last));
  if (claim.index >= grid.count || !isFitting)
    return `${formatEnds(claim)} is not in that place of ${kind} ${name}: is its spec as it was?`;
  return { span, block: documentOf(claim, object.pool) };
}

function documentOf({ node, nodeUID, index, closing }: Claim, pool: Pool): NodeBlock {
  const block = draftBlock(pool, { name: node, uid: nodeUID }, index);
  return closing ? { ...block, spec: { ...block.spec, closing } } : block;
}

type Astray = { name: string; node: string; span: Span };

/** NodeBlocks whose addresses aren't those of their place on the grid: only they can overlap with one of another name. */
function findAstray({ pools, blocks }: PoolObjects): Astray[] {
  return blocks.flatMap((document) => {
    const block = readBlock(document);
    if (!block?.span) return [];
    const { name, span, index, nodeName: node } = block;
    const grid = pools.find((pool) => isSame(pool, block.pool))?.pool?.grid;
    const place = grid && spanOfBlock(grid, index);
    const isInPlace = place?.first.value === span.first.value && place.last.value === span.last.value;
    return isInPlace ? [] : [{ name, node, span }];
  });
}
