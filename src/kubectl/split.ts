import { Command } from "commander";
import type { Client } from "../kube/client.ts";
import type { SplitPlan } from "../split/plan.ts";
import { type Paint, paintFor } from "../terminal/paint.ts";
import { ask, canAsk } from "./ask.ts";
import { addHelp } from "./help.ts";
import { commitPlan, isCommitted, type PlanPlace } from "./plan-object.ts";
import { showProgress } from "./progress.ts";
import { warn } from "./say-few.ts";
import type { Shell } from "./shell.ts";
import { addSplitFlags, orderOf, type SplitFlags } from "./split-flags.ts";
import { reportSplit } from "./split-report.ts";
import { type Draught, prepareSplit, type SplitOrder, writeBlocks, writesOf } from "./split-run.ts";
import { countNodes, formatSplitTable, summarize } from "./split-view.ts";
import { stopOnInterrupt } from "./stop-on-interrupt.ts";

export function splitCommand(shell: Shell, end: (code: number) => void): Command {
  const command = addSplitFlags(new Command("split"))
    .argument("<key>", "the annotation that holds a node's ranges")
    .description("Cuts a network into blocks of one size, and gives each node one, as an annotation")
    .action(async (key: string, flags: SplitFlags) => {
      const { client } = await shell.connect(command);
      end(await split(client, orderOf(key, flags), flags, shell));
    });
  return addHelp(
    command,
    [
      ["split --cidr=172.20.0.0/16 --per-node=/24 example.com/net1", "Give every node a /24"],
      ["split example.com/net1", "Later: give the nodes that came since theirs, all else as it was"],
      [
        "split --cidr=172.20.0.0/16,fd00:2::/48 --per-node=/24,/64 --reserve-first=10 -l zone=a example.com/net1",
        "Both families, for some nodes, ten addresses of each block kept back",
      ],
      ["split example.com/net1 --dry-run=client -o json", "What would be done"],
    ],
    [
      "0  each selected node has its block",
      "1  something went wrong, or nodes were refused, changed by others or not reached: said on stderr; run it again",
      "2  a mistake in the words of the command",
    ],
  );
}

/** Plans, shows, asks, commits, writes. Where another run commits first, it begins anew. */
export async function split(
  client: Client,
  order: SplitOrder,
  flags: SplitFlags,
  shell: Shell,
): Promise<number> {
  const { place } = order;
  for (let shown: string | undefined; ; ) {
    const draught = await prepareSplit(client, order, (done, remaining) =>
      shell.progress(`reading nodes: ${done} of ${done + remaining}`),
    );
    const { plan, stored } = draught;
    const table = formatSplitTable(plan, paintOf(flags, shell), flags.output === "wide");
    const isNews = table !== shown;
    if (isNews) show(table, draught, flags, shell);
    const isNothingToDo = writesOf(plan).length === 0 && isCommitted(plan.committed, stored);
    if (flags.dryRun === "client" || isNothingToDo) return await reportSplit(plan, new Map(), flags, shell);
    if (isNews && !(await isWanted(plan, flags))) {
      shell.say("nothing was written");
      return 1;
    }
    shown = table;
    if (await commitPlan(client, place, plan.committed, stored))
      return await carryOut(client, place, draught, flags, shell);
    shell.say("another run was first: planning anew");
    await pauseBriefly();
  }
}

/** Asks where somebody sits there, and there is something to be asked. */
async function isWanted(plan: SplitPlan, { dryRun, yes }: SplitFlags): Promise<boolean> {
  const { length } = writesOf(plan);
  if (length === 0 || dryRun !== "none" || yes || !canAsk()) return true;
  return await ask(`Annotate ${countNodes(length)}?`);
}

async function carryOut(
  client: Client,
  place: PlanPlace,
  draught: Draught,
  flags: SplitFlags,
  shell: Shell,
): Promise<number> {
  const interrupt = stopOnInterrupt(shell);
  const progress = showProgress(shell, "nodes written", writesOf(draught.plan).length);
  const start = Date.now();
  const outcomes = await writeBlocks(client, place, draught, interrupt.isStopped, progress);
  interrupt.end();
  const seconds = Math.max(0.001, (Date.now() - start) / 1000);
  const rate = Math.round(outcomes.size / seconds);
  if (outcomes.size > 0) shell.say(`${countNodes(outcomes.size)} in ${seconds.toFixed(1)} s, ${rate}/s`);
  return await reportSplit(draught.plan, outcomes, flags, shell);
}

/** Colour is for the stream that the plan goes to. */
function paintOf({ dryRun }: SplitFlags, { paint, env }: Shell): Paint {
  return dryRun === "client" ? paint : paintFor(process.stderr.isTTY === true, env);
}

/** The plan goes to stdout where it is the result, else to stderr. */
function show(table: string, { plan, notes }: Draught, { output, dryRun }: SplitFlags, shell: Shell): void {
  warn(notes, shell);
  const isForPeople = output === "table" || output === "wide";
  if (table !== "" && isForPeople) (dryRun === "client" ? shell.print : shell.say)(table);
  for (const line of summarize(plan)) shell.say(line);
}

/** Runs that get into one another's way are to get out of step. */
function pauseBriefly(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.random() * 500));
}
