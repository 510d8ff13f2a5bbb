import { Command } from "commander";
import { type Survey, takeSurvey } from "../survey/survey.ts";
import { checkNames, refuseBoth } from "./choose-nodes.ts";
import { addHelp, usualExits } from "./help.ts";
import { listItems } from "./node-ranges-list.ts";
import { formatItems } from "./node-ranges-table.ts";
import { formatList, type OutputFormat, outputOption } from "./output.ts";
import { warn } from "./say-few.ts";
import type { Shell } from "./shell.ts";
import { addSurveyFlags, type SurveyFlags, surveyOptionsOf } from "./survey-flags.ts";

type Options = SurveyFlags & { output: OutputFormat };

export function listCommand(shell: Shell): Command {
  const command = addSurveyFlags(new Command("list"))
    .description("Nodes by networks: ranges, how many addresses they have, how many pods use")
    .argument("[nodes...]", "only these")
    .addOption(outputOption())
    .action((names: string[], options: Options) => list(names, options, command, shell));
  return addHelp(
    command,
    [
      ["list", "Every node, every annotation that holds ranges, and podCIDRs"],
      ["list -l zone=a --key example.com/net1", "One network's ranges in zone a"],
      ["list -o json | jq '.items[] | select(.malformed)'", "Malformed annotations, for a script"],
    ],
    usualExits,
  );
}

async function list(names: string[], options: Options, command: Command, shell: Shell): Promise<void> {
  refuseBoth(names, options.selector !== undefined);
  const { client } = await shell.connect(command);
  const survey = await takeSurvey(client, { ...surveyOptionsOf(options, shell), services: false });
  warn(survey.notes, shell);
  const items = listItems(only(names, survey), options.key ?? []);
  const { output } = options;
  if (output === "json" || output === "yaml") shell.print(await formatList("NodeRangesList", items, output));
  else if (output === "name") shell.print([...new Set(items.map(({ node }) => `node/${node}`))].join("\n"));
  else if (items.length === 0) shell.say("No nodes found");
  else shell.print(formatItems(items, output === "wide", shell.paint));
}

/** Throws where one of them isn't there. */
function only(names: string[], survey: Survey): Survey {
  if (names.length === 0) return survey;
  checkNames(names, new Set(survey.nodes.map(({ name }) => name)));
  return { ...survey, nodes: survey.nodes.filter(({ name }) => names.includes(name)) };
}
