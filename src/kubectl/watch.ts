import { Command } from "commander";
import type { Client } from "../kube/client.ts";
import { follow } from "../kube/follow.ts";
import { type NodeFacts, readNodeFacts } from "../survey/node-ranges.ts";
import { type PodAddress, readPodAddresses } from "../survey/pod-address.ts";
import { chooseKeys } from "../survey/range-keys.ts";
import { composeSurvey, readNetworks } from "../survey/survey.ts";
import { addHelp } from "./help.ts";
import { listItems, type NodeRangesItem } from "./node-ranges-list.ts";
import type { Shell } from "./shell.ts";
import { addSurveyFlags, type SurveyFlags } from "./survey-flags.ts";
import { type ShowItems, showAsLines, showOnScreen } from "./watch-view.ts";

/** How long changes are gathered before they are shown; milliseconds. */
const gathered = 500;

export function watchCommand(shell: Shell): Command {
  const command = addSurveyFlags(new Command("watch"))
    .description("The list, live: on a terminal a table that is kept up to date, else a line for each change")
    .action(async (flags: SurveyFlags) => {
      const { client } = await shell.connect(command);
      await watch(client, flags, shell);
    });
  return addHelp(
    command,
    [
      ["watch", "Every node's ranges and how many pods use them; Ctrl-C ends it"],
      [
        "watch -l zone=a --key example.com/net1 | tee usage.log",
        "One network's changes, with their times, for a file",
      ],
    ],
    [
      "1    the cluster could not be read when it began",
      "2    a mistake in the words of the command",
      "130  ended by Ctrl-C",
    ],
  );
}

async function watch(
  client: Client,
  { selector, key: given = [] }: SurveyFlags,
  shell: Shell,
): Promise<void> {
  const notes: string[] = [];
  const networks = await readNetworks(client, notes);
  for (const note of notes) shell.say(`warning: ${note}`);
  const keys = chooseKeys(networks, given);
  let nodes: ReadonlyMap<string, NodeFacts> | undefined;
  let pods: ReadonlyMap<string, PodAddress[]> | undefined;
  const view: ShowItems = shell.width === undefined ? showAsLines(shell) : showOnScreen(shell);
  const show = gather(() => {
    if (!nodes || !pods) return;
    const found = { nodes: [...nodes.values()], pods: [...pods.values()].flat() };
    const parts = { ...found, networks, serviceCIDRs: [], notes };
    view(itemsOf(composeSurvey(parts, keys, given), given));
  });
  const onTrouble = (words: string) => shell.say(`${new Date().toISOString()} ${words}: trying again`);
  const forever = new AbortController().signal;
  await Promise.all([
    follow(
      client,
      {
        path: "/api/v1/nodes",
        ...(selector !== undefined && { labelSelector: selector }),
        pick: (item) => readNodeFacts(item, keys.isOne),
        onChange: (all) => {
          nodes = all;
          show();
        },
        onTrouble,
      },
      forever,
    ),
    follow(
      client,
      {
        path: "/api/v1/pods",
        pick: readPodAddresses,
        onChange: (all) => {
          pods = all;
          show();
        },
        onTrouble,
      },
      forever,
    ),
  ]);
}

function itemsOf(survey: Parameters<typeof listItems>[0], given: readonly string[]): NodeRangesItem[] {
  const nodes = survey.nodes.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return listItems({ ...survey, nodes }, given);
}

/** Many calls in a short time do the work once. */
function gather(work: () => void): () => void {
  let isDue = false;
  return () => {
    if (isDue) return;
    isDue = true;
    setTimeout(() => {
      isDue = false;
      work();
    }, gathered);
  };
}
