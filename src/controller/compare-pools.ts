import { type Claim, claimOfPool, claimsOfBlocks } from "../pool/claims.ts";
import { describeOverlap, findOverlaps } from "../pool/overlaps.ts";
import { poolKey } from "../pool/plan.ts";
import { readClaimsOfOthers } from "../survey/claims-of-others.ts";
import type { PoolEntry } from "./cluster.ts";
import type { ControllerContext } from "./context.ts";

/** The queue's key: one comparison for all pools. */
export const comparing = "overlaps/all";

/** Milliseconds: new Nodes, annotations and ServiceCIDRs are seen that late, but where a pool changes. */
const every = 5 * 60_000;
/** Of what others have: for a pool that wasn't compared yet, and for those that were. */
const goodFor = { new: 1000, known: 60_000 };

/** Says of each pool what it overlaps with. What it is told by others may be a few seconds old; of pools and blocks it knows the newest. */
export async function comparePools(context: ControllerContext): Promise<void> {
  const { cluster, queue } = context;
  queue.addLater(comparing, every);
  if (cluster.pools.size === 0) return;
  const others = await readOthers(context);
  const entries = [...cluster.pools.values()];
  const good = entries.flatMap(({ pool, record }) => (pool ? [claimOfPool(pool, record.created)] : []));
  const isGood = new Set(good.map(({ key }) => key));
  // A pool whose spec is broken, or that is gone, says by its blocks what is in use.
  const orphans = claimsOfBlocks(
    [...cluster.blocks.values()].filter(({ pool }) => !isGood.has(poolKey(pool))),
  );
  const overlaps = findOverlaps(good, [...orphans, ...others]);
  for (const entry of entries) {
    const { kind, name } = entry.record;
    const overlap = overlaps.get(entry.key);
    note(context, entry, overlap && describeOverlap(`${kind} ${name}`, overlap));
  }
}

function note({ cluster, queue }: ControllerContext, entry: PoolEntry, overlap: string | undefined): void {
  const mayGiveNow = overlap === undefined && (!entry.compared || entry.overlap !== undefined);
  if (overlap !== entry.overlap) queue.add(`pool/${entry.key}`);
  entry.overlap = overlap;
  entry.compared = true;
  if (mayGiveNow) for (const name of cluster.nodes.keys()) queue.add(`node/${name}`);
}

async function readOthers({ client, cluster, log }: ControllerContext): Promise<Claim[]> {
  const before = cluster.others;
  const isKnown = [...cluster.pools.values()].every(({ compared }) => compared);
  const age = before ? performance.now() - before.at : Number.POSITIVE_INFINITY;
  if (before && age < (isKnown ? goodFor.known : goodFor.new)) return before.claims;
  const { claims, unknown } = await readClaimsOfOthers(client);
  if (unknown !== undefined && !before)
    log.warn("not everything is compared with pools", { reason: unknown });
  cluster.others = { claims, at: performance.now() };
  return claims;
}
