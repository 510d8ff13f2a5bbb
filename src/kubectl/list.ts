import { Command } from "commander";
import { formatRangeSet } from "../survey/range-set.ts";
import { type Survey, takeSurvey } from "../survey/survey.ts";
import { formatAge } from "../terminal/age.ts";
import { type Cell, formatTable } from "../terminal/table.ts";
import { addHelp, usualExits } from "./help.ts";
import { listItems, type NodeRangesItem } from "./node-ranges-list.ts";
import { formatList, type OutputFormat, outputOption } from "./output.ts";
import { sayFew } from "./say-few.ts";
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
  const { client } = await shell.connect(command);
  const survey = await takeSurvey(client, { ...surveyOptionsOf(options, shell), services: false });
  sayFew(
    survey.notes.map((note) => `warning: ${note}`),
    shell,
  );
  const items = listItems(only(names, survey), options.key ?? []);
  const { output } = options;
  if (output === "json" || output === "yaml") shell.print(await formatList("NodeRangesList", items, output));
  else if (output === "name") shell.print([...new Set(items.map(({ node }) => `node/${node}`))].join("\n"));
  else if (items.length === 0) shell.say("No nodes found");
  else
    shell.print(
      formatTable(
        head(output),
        items.flatMap((item) => rows(item, output, shell)),
      ),
    );
}

/** Throws where one of them isn't there. */
function only(names: string[], survey: Survey): Survey {
  if (names.length === 0) return survey;
  const nodes = survey.nodes.filter(({ name }) => names.includes(name));
  const missing = names.filter((name) => !nodes.some((node) => node.name === name));
  if (missing.length === 0) return { ...survey, nodes };
  throw new Error(`there is no Node ${missing.join(", no ")}: kubectl get nodes lists them`);
}

const columns = ["NODE", "KEY", "RANGES", "SIZE", "USED", "FREE", "FULL"];

function head(output: OutputFormat): string[] {
  return output === "wide" ? [...columns, "NETWORKS", "MALFORMED"] : columns;
}

function rows(item: NodeRangesItem, output: OutputFormat, { paint }: Shell): Cell[][] {
  const { node, key, networks, sets, malformed } = item;
  const more = output === "wide" ? [networks.join(",") || "<none>", malformed ?? ""] : [];
  if (sets.length === 0) {
    const ranges = malformed === undefined ? "<none>" : { text: "<malformed>", paint: paint.red };
    return [[node, key || "<none>", ranges, "-", "-", "-", "-", ...more]];
  }
  return sets.map(({ ranges, size, used, fullAt }) => {
    const free = size - used;
    const shown = free <= 0 ? { text: String(free), paint: paint.red } : formatCount(free);
    const full = whenFull(free, fullAt);
    return [node, key, formatRangeSet(ranges), formatCount(size), String(used), shown, full, ...more];
  });
}

function whenFull(free: number, fullAt: string | undefined): string {
  if (free <= 0) return "now";
  return fullAt === undefined ? "-" : `in ${formatAge(Date.parse(fullAt) - Date.now())}`;
}

/** Beyond what can be counted by hand a power of two says more. */
function formatCount(count: number): string {
  return count < 1e9 ? String(count) : `2^${Math.round(Math.log2(count))}`;
}
