import type { SplitPlan } from "../split/plan.ts";
import { formatDocument } from "./output.ts";
import { nameOfPlan } from "./plan-object.ts";
import type { Shell } from "./shell.ts";
import type { SplitFlags } from "./split-flags.ts";
import { writesOf } from "./split-run.ts";
import { countNodes, splitDocument } from "./split-view.ts";
import type { Outcome } from "./split-write.ts";

/** Results, then what is amiss; 1 where a selected node isn't as it should be. */
export async function reportSplit(
  plan: SplitPlan,
  outcomes: Map<string, Outcome>,
  { output, dryRun, planNamespace }: SplitFlags,
  shell: Shell,
): Promise<number> {
  const { key } = plan.committed;
  const writes = writesOf(plan);
  const written = writes.filter(({ uid }) => outcomes.get(uid)?.state === "written");
  const suffix = dryRun === "none" ? "" : ` (${dryRun} dry run)`;
  if (output === "json" || output === "yaml") {
    const object = `${planNamespace}/${nameOfPlan(key)}`;
    shell.print(await formatDocument(splitDocument(plan, object, outcomes), output));
  } else if (output === "name") {
    for (const { name } of dryRun === "client" ? writes : written) shell.print(`node/${name}`);
  } else if (dryRun !== "client") shell.print(`${key}: ${countNodes(written.length)} annotated${suffix}`);
  return dryRun === "client" ? faultsOf(plan) : reportFaults(plan, outcomes, shell) || faultsOf(plan);
}

function faultsOf({ assignments }: SplitPlan): 0 | 1 {
  return assignments.some(({ why }) => why !== undefined) ? 1 : 0;
}

function reportFaults(plan: SplitPlan, outcomes: Map<string, Outcome>, shell: Shell): 0 | 1 {
  const writes = writesOf(plan);
  const amiss = writes.flatMap(({ name, uid }) => {
    const outcome = outcomes.get(uid);
    return outcome && outcome.state !== "written" && outcome.state !== "there" ? [{ name, ...outcome }] : [];
  });
  for (const { name, state, words } of amiss.slice(0, 20)) shell.say(`node/${name}: ${state}: ${words}`);
  if (amiss.length > 20) shell.say(`… and ${countNodes(amiss.length - 20)} more (-o json has all)`);
  const missed = writes.length - outcomes.size;
  if (missed > 0) shell.say(`not reached: ${countNodes(missed)}, whose blocks are kept: run it again`);
  return missed > 0 || amiss.some(({ state }) => state !== "gone") ? 1 : 0;
}
