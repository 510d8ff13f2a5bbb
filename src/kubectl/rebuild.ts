import { Command } from "commander";
import { isPoolName } from "../api/pool-kind.ts";
import { type PoolReference, poolKey } from "../api/pool-names.ts";
import type { Client } from "../kube/client.ts";
import { asServed } from "../move/as-served.ts";
import { readNodeFacts } from "../survey/node-ranges.ts";
import { readPoolObjects } from "../survey/pool-objects.ts";
import { isClaiming, poolsNamedBy } from "../survey/rebuild-claims.ts";
import { planRebuild, type RebuildPlan } from "../survey/rebuild-plan.ts";
import { formatTable } from "../terminal/table.ts";
import { ask, canAsk } from "./ask.ts";
import { type DryRun, dryRunOption } from "./dry-run.ts";
import { addHelp } from "./help.ts";
import { describeNoSuchPool } from "./no-such-pool.ts";
import { type OutputFormat, outputOption } from "./output.ts";
import { readPoolWord } from "./pool-words.ts";
import { markRebuilt, wordOfPool } from "./rebuild-mark.ts";
import { type RebuildOutcomes, reportRebuild } from "./rebuild-report.ts";
import { createBlocks } from "./rebuild-write.ts";
import { sayFew, warn } from "./say-few.ts";
import { readServedPools } from "./served-pools.ts";
import type { Shell } from "./shell.ts";
import { UsageError } from "./usage-error.ts";

export type RebuildFlags = { dryRun: DryRun; yes?: true; output: OutputFormat };

export function rebuildCommand(shell: Shell, end: (code: number) => void): Command {
  const command = new Command("rebuild")
    .description(
      "After a restore of etcd from an older backup: makes the NodeBlocks again of blocks that nodes use, from their annotations",
    )
    .argument("[pool]", "only this one: NAME, ippool/NAME or cidrpool/NAME")
    .addOption(dryRunOption())
    .option("-y, --yes", "don't ask on a terminal")
    .addOption(outputOption(["table", "json", "yaml", "name"]))
    .action(async (word: string | undefined, flags: RebuildFlags) => {
      const asked = readAsked(word);
      const { client } = await shell.connect(command);
      end(await rebuild(client, asked, flags, shell));
    });
  return addHelp(
    command,
    [
      ["rebuild --dry-run=client", "What would be made, and what can't be"],
      ["rebuild ippool/a --yes", "One pool's, without a question"],
    ],
    [
      "0  every block that a node uses has its NodeBlock",
      "1  two nodes claim one block, a claim doesn't fit, or something went wrong: said on stderr, the rest was made; or there is no such pool",
      "2  a mistake in the words of the command",
    ],
  );
}

/** Plans, shows, asks; plans again, since time went by, and makes what was shown. */
async function rebuild(client: Client, asked: Asked, flags: RebuildFlags, shell: Shell): Promise<number> {
  for (let shown: string | undefined; ; ) {
    const readAt = Date.now();
    const plan = await preparePlan(client, asked, shell);
    const table = formatPlan(plan);
    if (table !== shown) {
      show(plan, table, flags, shell);
      if (flags.dryRun === "client") return await reportRebuild(plan, noOutcomes, flags, shell);
      if (!(await isAgreed(plan, flags))) {
        shell.say("nothing was made");
        return 1;
      }
      shown = table;
      if (canAsk() && !flags.yes && questionOf(plan) !== undefined) continue;
    }
    const isDryRun = flags.dryRun === "server";
    const blocks = await createBlocks(client, plan.create, isDryRun);
    const pools = isWhole(plan, blocks)
      ? await markRebuilt(client, plan.setBack, readAt, isDryRun)
      : noOutcomes.pools;
    return await reportRebuild(plan, { blocks, pools }, flags, shell);
  }
}

const noOutcomes: RebuildOutcomes = { blocks: new Map(), pools: new Map() };

/** Nothing is lost any more. */
function isWhole({ conflicts, faults }: RebuildPlan, blocks: RebuildOutcomes["blocks"]): boolean {
  const isAmiss = [...blocks.values()].some(({ state }) => state === "taken" || state === "failed");
  return !isAmiss && conflicts.length + faults.length === 0;
}

/** The pools that are meant; `word` where one was named. */
type Asked = { word: string | undefined; isWanted(pool: PoolReference): boolean };

function readAsked(word: string | undefined): Asked {
  if (word === undefined) return { word, isWanted: () => true };
  const pool = readPoolWord(word);
  const asked = pool?.name ?? word;
  if (!isPoolName(asked))
    throw new UsageError(
      `${JSON.stringify(word)} is no pool's name: expected NAME, ippool/NAME or cidrpool/NAME`,
    );
  return { word, isWanted: ({ kind, name }) => name === asked && (!pool || kind === pool.kind) };
}

/** NodeBlocks before Nodes (survey/rebuild-plan.ts). */
async function preparePlan(client: Client, { word, isWanted }: Asked, shell: Shell): Promise<RebuildPlan> {
  const notes: string[] = [];
  const objects = await readPoolObjects(client, notes);
  warn(notes, shell);
  if (!objects.isKnown)
    throw new Error(
      "NodeBlocks can't be read: are the CustomResourceDefinitions installed, and may you list them?",
    );
  const served = await readServedPools(client, objects.pools);
  const nodes = await client.list("/api/v1/nodes", (item) => readNodeFacts(item, isClaiming), {
    onPage: (done, remaining) => shell.progress(`reading nodes: ${done} of ${done + remaining}`),
  });
  const pools = [...objects.pools, ...served];
  const plan = planRebuild(nodes, { ...objects, pools }, isWanted);
  const claimed = () => [...objects.blocks.map(({ spec }) => spec.pool), ...nodes.flatMap(poolsNamedBy)];
  if (word !== undefined && !pools.some(isWanted) && !claimed().some(isWanted)) {
    const words = describeNoSuchPool(word, [...pools, ...claimed()]);
    if (plan.faults.length === 0) throw new Error(words);
    warn([words], shell); // What a Node says of its blocks can't be read: they may be of this pool.
  }
  const isServed = new Set(served.map(poolKey));
  return {
    ...plan,
    create: plan.create.map((block) => (isServed.has(poolKey(block.spec.pool)) ? asServed(block) : block)),
  };
}

function formatPlan({ create }: RebuildPlan): string {
  const rows = create.map(({ metadata, spec }) => [
    metadata.name,
    spec.nodeName,
    `${spec.first}-${spec.last}`,
    spec.closing ? "closing" : "",
  ]);
  return rows.length === 0 ? "" : formatTable(["NODEBLOCK", "NODE", "ADDRESSES", ""], rows);
}

/** The plan goes to stdout where it is the result, else to stderr. */
function show(plan: RebuildPlan, table: string, { output, dryRun }: RebuildFlags, shell: Shell): void {
  if (table !== "" && output === "table") (dryRun === "client" ? shell.print : shell.say)(table);
  const { paint } = shell;
  sayFew(
    plan.conflicts.map((words) => `${paint.red("conflict:")} ${words}`),
    shell,
  );
  sayFew(
    plan.faults.map((words) => `${paint.red("can't be made:")} ${words}`),
    shell,
  );
}

/** Asks where somebody sits there, and there is something to be asked. */
async function isAgreed(plan: RebuildPlan, { dryRun, yes }: RebuildFlags): Promise<boolean> {
  const question = questionOf(plan);
  if (question === undefined || dryRun !== "none" || yes || !canAsk()) return true;
  return await ask(question);
}

function questionOf({ create, setBack, conflicts, faults }: RebuildPlan): string | undefined {
  const blocks = create.length === 1 ? "1 NodeBlock" : `${create.length} NodeBlocks`;
  const pools = conflicts.length + faults.length === 0 ? setBack.map(wordOfPool).join(", ") : "";
  if (pools === "") return create.length === 0 ? undefined : `Make ${blocks}?`;
  return create.length === 0
    ? `Let ${pools} give blocks again?`
    : `Make ${blocks}, and let ${pools} give again?`;
}
