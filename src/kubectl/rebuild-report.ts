import type { RebuildPlan } from "../survey/rebuild-plan.ts";
import { apiVersion, formatDocument } from "./output.ts";
import type { RebuildFlags } from "./rebuild.ts";
import type { RebuildOutcome } from "./rebuild-write.ts";
import { sayFew } from "./say-few.ts";
import type { Shell } from "./shell.ts";

const suffixes = { none: "", client: " (dry run)", server: " (server dry run)" };

/** Results, then how many; 1 where something could not be made. */
export async function reportRebuild(
  plan: RebuildPlan,
  outcomes: Map<string, RebuildOutcome>,
  { output, dryRun }: RebuildFlags,
  shell: Shell,
): Promise<number> {
  const amiss = [...outcomes].filter(([, { state }]) => state === "taken" || state === "failed");
  const made = plan.create.filter(({ metadata }) => outcomes.get(metadata.name)?.state === "made");
  const done = dryRun === "client" ? plan.create : made;
  if (output === "json" || output === "yaml")
    shell.print(await formatDocument(documentOf(plan, outcomes), output));
  else if (output === "name") for (const { metadata } of done) shell.print(`nodeblock/${metadata.name}`);
  else if (dryRun !== "client")
    for (const { metadata } of made) shell.print(`nodeblock/${metadata.name} created${suffixes[dryRun]}`);
  sayFew(
    amiss.map(([name, { words }]) => `${shell.paint.red("failed:")} ${name}: ${words}`),
    shell,
  );
  const counts = [
    `${count(done.length)} ${dryRun === "client" ? "to be made" : "made"}${suffixes[dryRun]}`,
    `${plan.there} there`,
    ...(plan.conflicts.length > 0 ? [`${plan.conflicts.length} in conflict`] : []),
    ...(plan.faults.length > 0 ? [`${plan.faults.length} can't be made`] : []),
  ];
  shell.say(counts.join(", "));
  return amiss.length + plan.conflicts.length + plan.faults.length === 0 ? 0 : 1;
}

function count(blocks: number): string {
  return blocks === 1 ? "1 NodeBlock" : `${blocks} NodeBlocks`;
}

function documentOf(plan: RebuildPlan, outcomes: Map<string, RebuildOutcome>): object {
  const items = plan.create.map(({ metadata, spec }) => {
    const { state = "planned", words = "" } = outcomes.get(metadata.name) ?? {};
    return { name: metadata.name, ...spec, state, ...(words !== "" && { words }) };
  });
  return { apiVersion, kind: "RebuildResult", items, conflicts: plan.conflicts, faults: plan.faults };
}
