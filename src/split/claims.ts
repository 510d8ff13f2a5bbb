import { formatCidr } from "../address/cidr.ts";
import { familyOf, type Span } from "../address/range.ts";
import type { Holder } from "./committed-plan.ts";
import type { Grid } from "./grid.ts";
import type { Held } from "./held.ts";
import { keptFromOthers, wholeOf } from "./span.ts";

/** Addresses that are somebody's: `owner` is a Node's UID, `words` say whose and why. */
export type Claim = { readonly span: Span; readonly owner: string; readonly words: string };

type Live = { readonly name: string; readonly uid: string };

/** What a Node's annotation holds, whether or not it came from a plan. */
export function claimsOfAnnotation({ name, uid }: Live, { ranges }: Held, grids: Grid[]): Claim[] {
  return ranges.flat().map((range) => {
    const grid = grids.find(({ network }) => network.ip.family === familyOf(range));
    return {
      span: keptFromOthers(range, grid?.perNode ?? 0),
      owner: uid,
      words: `${range.subnet} of Node ${name}'s annotation`,
    };
  });
}

/** What the plan promises, written to the Node by now or not. */
export function claimsOfHolder({ node, uid, blocks, goneSince }: Holder): Claim[] {
  const whose = goneSince ? `the deleted Node ${node}` : `Node ${node}`;
  return blocks.map((block) => ({
    span: wholeOf(block),
    owner: uid,
    words: `${formatCidr(block)}, which the plan gives to ${whose}`,
  }));
}

/** Of each owner whose addresses are another's as well: the other's words. */
export function findConflicts(claims: Claim[]): Map<string, string> {
  const conflicts = new Map<string, string>();
  const inOrder = claims.toSorted(bySpan);
  let open: Claim[] = [];
  for (const claim of inOrder) {
    open = open.filter(
      ({ span }) =>
        span.first.family === claim.span.first.family && span.last.value >= claim.span.first.value,
    );
    for (const other of open.filter(({ owner }) => owner !== claim.owner)) {
      if (!conflicts.has(claim.owner)) conflicts.set(claim.owner, other.words);
      if (!conflicts.has(other.owner)) conflicts.set(other.owner, claim.words);
    }
    open.push(claim);
  }
  return conflicts;
}

function bySpan({ span: a }: Claim, { span: b }: Claim): number {
  if (a.first.family !== b.first.family) return a.first.family - b.first.family;
  return a.first.value < b.first.value ? -1 : a.first.value > b.first.value ? 1 : 0;
}
