import { formatCidr } from "../address/cidr.ts";
import type { Holder } from "../split/committed-plan.ts";
import { countBlocks } from "../split/grid.ts";
import type { Assignment, SplitPlan } from "../split/plan.ts";
import { writeTerms } from "../split/terms.ts";
import type { Paint } from "../terminal/paint.ts";
import { type Cell, formatTable } from "../terminal/table.ts";
import { apiVersion } from "./output.ts";
import type { Outcome } from "./split-write.ts";

/** What a plan changes, a row each, and what is amiss; with `all` what stays as it is as well. "" where there is no row. */
export function formatSplitTable(plan: SplitPlan, paint: Paint, all: boolean): string {
  const rows = [
    ...plan.assignments.filter(({ state, why }) => all || state !== "kept" || why !== undefined).map(rowOf),
    ...plan.gone.filter(({ goneSince }) => all || goneSince === undefined).map((one) => goneRow(one, "gone")),
    ...plan.released.map((one) => goneRow(one, "released")),
  ];
  return rows.length === 0 ? "" : formatTable(["NODE", "BLOCK", "STATE", "NOTE"], rows);

  function rowOf({ name, state, blocks, was, why }: Assignment): Cell[] {
    const shown = blocks.map(formatCidr).join(",") || "-";
    const colour = why !== undefined ? paint.red : state === "new" ? paint.green : undefined;
    const note = why ?? (state === "kept" && blocks.length === 0 ? `ranges of its own: ${was}` : "");
    return [name, shown, colour ? { text: state, paint: colour } : state, note];
  }
}

/** Sentences that stand above the question, or the progress. */
export function summarize({ assignments, uses, passedOver, gone, released }: SplitPlan): string[] {
  const count = (state: Assignment["state"]) => assignments.filter((one) => one.state === state).length;
  const due = count("due") > 0 ? [`${count("due")} due by an earlier plan`] : [];
  const spaces = uses.map(
    ({ grid, taken, given, free }) =>
      `${formatCidr(grid.network)} in /${grid.perNode}: ${countBlocks(grid)} blocks, ${taken} taken or excluded, ${given} given now, ${free} free`,
  );
  return [
    ...spaces,
    ...passedOver.map(({ by, blocks }) => `passed over: ${blocks} (${by})`),
    ...(gone.length > 0 ? [`deleted Nodes whose blocks are kept: ${gone.length} (--release-after)`] : []),
    ...(released.length > 0 ? [`deleted Nodes whose blocks are free again: ${released.length}`] : []),
    `Nodes: ${[`${count("new")} new`, ...due, `${count("kept")} kept`, `${count("refused")} refused`].join(", ")}`,
  ];
}

/** -o json and yaml: counts are texts, since IPv6 has more than a number holds. */
export function splitDocument(
  plan: SplitPlan,
  object: string,
  outcomes: ReadonlyMap<string, Outcome>,
): object {
  const { key, terms } = plan.committed;
  return {
    apiVersion,
    kind: "Split",
    key,
    plan: object,
    ...writeTerms(terms),
    spaces: plan.uses.map(({ grid, taken, given, free }) => ({
      cidr: formatCidr(grid.network),
      blocks: String(countBlocks(grid)),
      taken: String(taken),
      given: String(given),
      free: String(free),
    })),
    nodes: plan.assignments.map((one) => nodeItem(one, outcomes.get(one.uid))),
    gone: plan.gone.map(goneItem),
    released: plan.released.map(goneItem),
  };
}

function nodeItem({ name, uid, state, blocks, was, annotation, why }: Assignment, outcome?: Outcome): object {
  return {
    node: name,
    uid,
    state,
    blocks: blocks.map(formatCidr),
    annotation: annotation ?? was ?? null,
    ...(why !== undefined && { why }),
    ...(outcome && { outcome: outcome.state, ...(outcome.state !== "written" && { words: outcome.words }) }),
  };
}

function goneItem({ node, uid, blocks, goneSince }: Holder): object {
  return { node, uid, blocks: blocks.map(formatCidr), since: goneSince?.toISOString() };
}

function goneRow({ node, blocks, goneSince }: Holder, state: string): Cell[] {
  return [node, blocks.map(formatCidr).join(","), state, `deleted, as seen ${goneSince?.toISOString()}`];
}

/** `1 Node`, `2 Nodes`. */
export function countNodes(count: number): string {
  return count === 1 ? "1 Node" : `${count} Nodes`;
}
