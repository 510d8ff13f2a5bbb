import type { Cidr } from "../address/cidr.ts";
import type { Holder } from "./committed-plan.ts";
import type { Grid } from "./grid.ts";
import { blockIn, type Held, rangesIn, readHeld } from "./held.ts";

/** A Node as it was read; `annotation` is the plan's one, as it stands. */
export type SplitNode = { name: string; uid: string; selected: boolean; annotation?: string };

/** What a Node has of one grid, and who says so. An annotation's range that is no block of the grid leaves `block` out. */
export type Slot = { readonly from: "annotation" | "plan" | "nobody"; readonly block?: Cidr };

/** A Node before blocks are given: a slot for each grid. */
export type Draft = { readonly node: SplitNode; readonly held: Held; readonly slots: Slot[] };

/** The annotation comes before the plan: whoever wrote it has changed the Node, so that no late writer overwrites it. */
export function draft(node: SplitNode, grids: Grid[], holder: Holder | undefined): Draft {
  const held = readHeld(node.annotation);
  const slots = grids.map((grid): Slot => {
    const block = blockIn(held, grid);
    if (rangesIn(held, grid).length > 0) return { from: "annotation", ...(block && { block }) };
    const promised = holder?.blocks.find(({ ip }) => ip.family === grid.network.ip.family);
    return promised ? { from: "plan", block: promised } : { from: "nobody" };
  });
  return { node, held, slots };
}

/** Whether the annotation has ranges in each family. */
export function isComplete({ slots }: Draft): boolean {
  return slots.every(({ from }) => from === "annotation");
}

export function blocksOf(slots: Slot[]): Cidr[] {
  return slots.flatMap(({ block }) => block ?? []);
}

export function asHolder({ name, uid }: SplitNode, slots: Slot[]): Holder {
  return { node: name, uid, blocks: blocksOf(slots) };
}

/** Why nothing is to be written to a Node that lacks a block; undefined where nothing stands in the way. */
export function whyNot(draft: Draft, conflict: string | undefined): string | undefined {
  const { fault, body } = draft.held;
  if (fault !== undefined) return `its annotation can't be read: ${fault}`;
  if (conflict !== undefined) return `its addresses overlap with ${conflict}`;
  if (!body || isComplete(draft)) return undefined;
  return "its annotation is in node-annotation's form, to which nothing can be added here";
}
