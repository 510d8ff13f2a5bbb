import { Command } from "commander";
import { type AnnotationChange, planAnnotation } from "../survey/annotation-plan.ts";
import { describeConflict } from "../survey/conflicts.ts";
import { podCIDRsKey } from "../survey/node-ranges.ts";
import { takeSurvey } from "../survey/survey.ts";
import { type AnnotateFlags, readAnnotateWords } from "./annotate-words.ts";
import { findTargets, readWanted } from "./annotation-targets.ts";
import { warnOf } from "./annotation-warnings.ts";
import { type DryRun, dryRunOption } from "./dry-run.ts";
import { addHelp } from "./help.ts";
import { type OutputFormat, outputOption } from "./output.ts";
import { findInPools } from "./pool-conflicts.ts";
import { findPromised, readPromises } from "./promised-blocks.ts";
import { sayFew, warn } from "./say-few.ts";
import { readAllPools } from "./served-pools.ts";
import type { Shell } from "./shell.ts";
import { surveyOptionsOf } from "./survey-flags.ts";
import { writeAnnotations } from "./write-annotations.ts";

type Options = AnnotateFlags & {
  force?: boolean;
  overwrite?: boolean;
  planNamespace: string;
  dryRun: DryRun;
  output: OutputFormat;
};

export function annotateCommand(shell: Shell, end: (code: number) => void): Command {
  const command = new Command("annotate")
    .description(
      "Writes ranges onto Nodes, checked with the plugin's own parser and against the other ranges of the cluster",
    )
    .usage("[options] NODE… KEY=CIDRS | NODE… KEY --ranges=JSON | NODE… KEY-")
    .argument("[words...]", "NODE… KEY=CIDRS, NODE… KEY with --ranges, or NODE… KEY- to take it away")
    .option("-l, --selector <selector>", "the nodes with these labels, in the place of names")
    .option("--all", "all nodes")
    .option("--ranges <json>", "the value, as JSON: host-local's ranges, or an object of ranges and routes")
    .option("--remove <key>", "take this annotation away")
    .option("--overwrite", "replace another value that is there")
    .option("--force", "write in spite of conflicts")
    .option("--plan-namespace <name>", "where split's plan of this annotation lies", "kube-system")
    .addOption(dryRunOption())
    .addOption(outputOption(["table", "json", "yaml", "name"]))
    .action(async (words: string[], options: Options) => end(await annotate(words, options, command, shell)));
  return addHelp(
    command,
    [
      ["annotate node-1 example.com/net1=10.1.1.0/24", "One node, one range"],
      [
        "annotate node-1 example.com/net1=10.1.1.0/24,fd00:1::/64 --overwrite",
        "Both families, in the place of what is there",
      ],
      [
        `annotate node-1 example.com/net1 --ranges='[[{"subnet": "10.1.1.0/24", "rangeStart": "10.1.1.20"}]]'`,
        "With all that host-local knows",
      ],
      ["annotate -l zone=a example.com/net1-", "Take it away from the nodes of a zone"],
    ],
    [
      "0  every node has it now (or would have it)",
      "1  refused because of a conflict or another value, or some nodes could not be written",
      "2  a mistake in the words of the command, or in the ranges",
    ],
  );
}

async function annotate(words: string[], options: Options, command: Command, shell: Shell): Promise<number> {
  const asked = readAnnotateWords(words, options);
  const { client } = await shell.connect(command);
  const survey = await takeSurvey(client, surveyOptionsOf({ key: [asked.key, podCIDRsKey] }, shell));
  const targets = await findTargets(client, survey, asked, options);
  const wanted = readWanted(asked, survey);
  const plan = planAnnotation(survey, targets, wanted);
  const place = { namespace: options.planNamespace, key: wanted.key, dryRun: false };
  const holders = await readPromises(client, place, survey.notes);
  const pools = await readAllPools(client, survey.notes);
  warnOf(plan, survey, targets, wanted, shell);
  const conflicts = [
    ...plan.conflicts.map(describeConflict),
    ...findPromised(holders, survey, plan.changes, wanted),
    ...findInPools(pools, plan.changes, wanted),
  ];
  if (options.force) warn(conflicts, shell);
  const refusals = [
    ...(options.force ? [] : conflicts.map((words) => `${words}: choose another, or --force it`)),
    ...(options.overwrite ? [] : plan.changes.flatMap((change) => refuseReplacing(change, wanted.key))),
  ];
  if (refusals.length === 0)
    return await writeAnnotations(plan.changes, { ...options, key: wanted.key }, client, shell);
  sayFew(
    refusals.map((words) => `${shell.paint.red("refused:")} ${words}`),
    shell,
  );
  if (conflicts.length > 0 && targets.size > 1)
    shell.say("kubectl kube-node split gives each node a block of its own");
  shell.say(
    targets.size === 1 ? "nothing was written" : `nothing was written to any of the ${targets.size} nodes`,
  );
  return 1;
}

function refuseReplacing({ node, before, after }: AnnotationChange, key: string): string[] {
  if (before === undefined || after === undefined || before === after) return [];
  return [`${node.name} has ${key}=${before}: --overwrite replaces it`];
}
