import type { NodeBlock } from "../api/node-block.ts";
import type { RebuildPlan } from "../survey/rebuild-plan.ts";
import { apiVersion, formatDocument } from "./output.ts";
import type { RebuildFlags } from "./rebuild.ts";
import { wordOfPool } from "./rebuild-mark.ts";
import type { RebuildOutcome } from "./rebuild-write.ts";
import { sayFew } from "./say-few.ts";
import type { Shell } from "./shell.ts";

const suffixes = { none: "", client: " (dry run)", server: " (server dry run)" };

/** What became of NodeBlocks, by name, and of pools that wait for them, by `ippool/NAME`. */
export type RebuildOutcomes = { blocks: Map<string, RebuildOutcome>; pools: Map<string, RebuildOutcome> };

/** Results, then how many; 1 where something could not be made. */
export async function reportRebuild(
  plan: RebuildPlan,
  outcomes: RebuildOutcomes,
  { output, dryRun }: RebuildFlags,
  shell: Shell,
): Promise<number> {
  const { blocks, pools } = outcomes;
  const amiss = [...blocks, ...pools].filter(([, { state }]) => state === "taken" || state === "failed");
  const made = plan.create.filter(({ metadata }) => blocks.get(metadata.name)?.state === "made");
  const marked = [...pools].flatMap(([word, { state }]) => (state === "made" ? [word] : []));
  const waiting = plan.setBack.map(wordOfPool).filter((word) => !marked.includes(word));
  const done = dryRun === "client" ? plan.create : made;
  if (output === "json" || output === "yaml")
    shell.print(await formatDocument(documentOf(plan, outcomes), output));
  else if (output === "name") for (const word of [...done.map(wordOfBlock), ...marked]) shell.print(word);
  else if (dryRun !== "client") {
    for (const block of made) shell.print(`${wordOfBlock(block)} created${suffixes[dryRun]}`);
    for (const word of marked) shell.print(`${word} annotated${suffixes[dryRun]}`);
  }
  sayFew(
    amiss.map(([name, { words }]) => `${shell.paint.red("failed:")} ${name}: ${words}`),
    shell,
  );
  const counts = [
    `${count(done.length)} ${dryRun === "client" ? "to be made" : "made"}${suffixes[dryRun]}`,
    `${plan.there} there`,
    ...(plan.conflicts.length > 0 ? [`${plan.conflicts.length} in conflict`] : []),
    ...(plan.faults.length > 0 ? [`${plan.faults.length} can't be made`] : []),
    ...(waiting.length > 0 ? [`nothing is given of ${waiting.join(", ")} until then`] : []),
  ];
  shell.say(counts.join(", "));
  return amiss.length + plan.conflicts.length + plan.faults.length === 0 ? 0 : 1;
}

function wordOfBlock({ metadata }: NodeBlock): string {
  return `nodeblock/${metadata.name}`;
}

function count(blocks: number): string {
  return blocks === 1 ? "1 NodeBlock" : `${blocks} NodeBlocks`;
}

function documentOf(plan: RebuildPlan, { blocks, pools }: RebuildOutcomes): object {
  const items = plan.create.map(({ metadata, spec }) => {
    const { state = "planned", words = "" } = blocks.get(metadata.name) ?? {};
    return { name: metadata.name, ...spec, state, ...(words !== "" && { words }) };
  });
  const waiting = plan.setBack.map((pool) => {
    const { state = "planned", words = "" } = pools.get(wordOfPool(pool)) ?? {};
    return { kind: pool.kind, name: pool.name, state, ...(words !== "" && { words }) };
  });
  const { conflicts, faults } = plan;
  return { apiVersion, kind: "RebuildResult", items, pools: waiting, conflicts, faults };
}
