import type { Cidr } from "../address/cidr.ts";
import type { Span } from "../address/range.ts";
import { rangeOfBlock } from "./block-range.ts";
import { claimsOfAnnotation, claimsOfHolder, findConflicts } from "./claims.ts";
import type { CommittedPlan, Holder } from "./committed-plan.ts";
import { asHolder, blocksOf, type Draft, draft, isComplete, type SplitNode, whyNot } from "./draft.ts";
import { countTaken } from "./free-blocks.ts";
import { give, type PassedOver, type Use } from "./give.ts";
import { addRanges } from "./held.ts";
import { type Holders, sortHolders, withoutTakenOver } from "./holders.ts";
import type { Terms } from "./terms.ts";

/** Addresses that no Node may get, and why: `podCIDRs`, `ServiceCIDR kubernetes`. */
export type Reserved = { span: Span; by: string };

/**
 * What becomes of a selected Node. `kept`: it has a block, or ranges of its own; `due`: the plan gave it one, its annotation
 * isn't written; `new`: it gets one now; `refused`: nothing is written. `why` is for the refused, and for kept ones in a conflict.
 */
export type Assignment = {
  name: string;
  uid: string;
  state: "kept" | "due" | "new" | "refused";
  blocks: Cidr[];
  /** The annotation as it was read, and, where it is to be written, as it shall be. */
  was?: string;
  annotation?: string;
  why?: string;
};

export type SplitPlan = {
  committed: CommittedPlan;
  assignments: Assignment[];
  /** Deleted Nodes: those whose blocks are kept for now, and those whose blocks are free again. */
  gone: Holder[];
  released: Holder[];
  uses: Use[];
  passedOver: PassedOver[];
};

export type SplitRequest = {
  key: string;
  terms: Terms;
  nodes: SplitNode[];
  reserved: Reserved[];
  committed: CommittedPlan | undefined;
  now: Date;
  /** How long a deleted Node's blocks are kept, milliseconds. */
  releaseAfter: number;
};

/**
 * Who gets which block: what Nodes and the committed plan have is occupied first, then each selected Node without one gets the
 * lowest that is free, in the order of names. The same whatever order things come in. Throws an Error where blocks run out.
 */
export function planSplit(request: SplitRequest): SplitPlan {
  const { key, terms, reserved } = request;
  const holders = holdersNow(request);
  const drafts = request.nodes
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((node) => draft(node, terms.grids, holders.live.get(node.uid)));
  const settled = drafts.map(({ node, slots }) => asHolder(node, slots));
  const gone = withoutTakenOver(holders.gone, settled);
  const claims = [
    ...drafts.flatMap(({ node, held }) => claimsOfAnnotation(node, held, terms.grids)),
    ...settled.flatMap(claimsOfHolder),
  ];
  const conflicts = findConflicts(claims);
  const occupied = [...claims, ...gone.flatMap(claimsOfHolder), ...reserved].map(({ span }) => span);
  const isWriter = (one: Draft) =>
    one.node.selected && whyNot(one, conflicts.get(one.node.uid)) === undefined;
  const passedOver = countPassedOver(terms, reserved);
  const taken = [...occupied, ...terms.exclude];
  const { drafts: filled, uses } = give(drafts.filter(isWriter), terms.grids, taken, passedOver);
  const final = new Map([...drafts, ...filled].map((one) => [one.node.uid, one]));
  return {
    committed: { key, terms, holders: [...holdersAfter([...final.values()], holders), ...gone] },
    assignments: [...final.values()]
      .filter(({ node }) => node.selected)
      .map((one) => assign(one, terms.reserveFirst, conflicts.get(one.node.uid))),
    gone,
    released: holders.released,
    uses,
    passedOver,
  };
}

function holdersNow({ nodes, committed, now, releaseAfter }: SplitRequest): Holders {
  const uids = new Set(nodes.map(({ uid }) => uid));
  return sortHolders(committed?.holders ?? [], uids, now, releaseAfter);
}

/** Selected Nodes, and live ones that are no longer selected with what they had: their writer may be on its way. */
function holdersAfter(drafts: Draft[], { live }: Holders): Holder[] {
  return drafts
    .filter(({ node }) => node.selected || live.has(node.uid))
    .map(({ node, slots }) => asHolder(node, slots))
    .filter(({ blocks }) => blocks.length > 0);
}

function assign(draft: Draft, reserveFirst: number, conflict: string | undefined): Assignment {
  const { node, held, slots } = draft;
  const { name, uid, annotation: was } = node;
  const why = whyNot(draft, conflict);
  const common = {
    name,
    uid,
    blocks: blocksOf(slots),
    ...(was !== undefined && { was }),
    ...(why !== undefined && { why }),
  };
  if (isComplete(draft)) return { ...common, state: "kept" };
  if (why !== undefined) return { ...common, state: "refused" };
  const added = blocksOf(slots.filter(({ from }) => from !== "annotation"));
  return {
    ...common,
    state: slots.some(({ from }) => from === "nobody") ? "new" : "due",
    annotation: addRanges(
      held,
      added.map((block) => [rangeOfBlock(block, reserveFirst)]),
    ),
  };
}

function countPassedOver(terms: Terms, reserved: Reserved[]): PassedOver[] {
  const all = [...reserved, ...terms.exclude.map((span) => ({ span, by: "--exclude" }))];
  return [...Map.groupBy(all, ({ by }) => by)].flatMap(([by, group]) => {
    const spans = group.map(({ span }) => span);
    const blocks = terms.grids.reduce((sum, grid) => sum + countTaken(grid, spans), 0n);
    return blocks > 0n ? [{ by, blocks }] : [];
  });
}
