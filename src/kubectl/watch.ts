import { Command } from "commander";
import { isStatus } from "../kube/api-error.ts";
import type { Client } from "../kube/client.ts";
import { type Followed, follow } from "../kube/follow.ts";
import { type Network, readNetworksOf } from "../survey/network.ts";
import { type NodeFacts, readNodeFacts } from "../survey/node-ranges.ts";
import { type PodAddress, readPodAddresses } from "../survey/pod-address.ts";
import { chooseKeys } from "../survey/range-keys.ts";
import { composeSurvey, definitions, readNetworks } from "../survey/survey.ts";
import { addHelp } from "./help.ts";
import { listItems, type NodeRangesItem } from "./node-ranges-list.ts";
import { warn } from "./say-few.ts";
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

type Seen = {
  networks: readonly Network[];
  nodes?: ReadonlyMap<string, NodeFacts>;
  pods?: ReadonlyMap<string, PodAddress[]>;
};

async function watch(
  client: Client,
  { selector, key: given = [] }: SurveyFlags,
  shell: Shell,
): Promise<void> {
  const notes: string[] = [];
  const seen: Seen = { networks: await readNetworks(client, notes) };
  warn(notes, shell);
  const view: ShowItems = shell.width === undefined ? showAsLines(shell) : showOnScreen(shell);
  const show = gather(() => {
    const { networks, nodes, pods } = seen;
    if (nodes && pods) view(itemsOf(networks, [...nodes.values()], [...pods.values()].flat(), given));
  });
  const keep = (found: Partial<Seen>) => {
    Object.assign(seen, found);
    show();
  };
  const onTrouble = (words: string) => shell.say(`${new Date().toISOString()} ${words}: trying again`);
  const forever = new AbortController().signal;
  const nodes: Followed<NodeFacts> = {
    path: "/api/v1/nodes",
    ...(selector !== undefined && { labelSelector: selector }),
    pick: (item) => readNodeFacts(item, (key) => given.length === 0 || given.includes(key)),
    onChange: (nodes) => keep({ nodes }),
    onTrouble,
  };
  const pods: Followed<PodAddress[]> = {
    path: "/api/v1/pods",
    pick: readPodAddresses,
    onChange: (pods) => keep({ pods }),
    onTrouble,
  };
  const networks: Followed<Network[]> = {
    path: definitions,
    pick: readNetworksOf,
    onChange: (all) => keep({ networks: [...all.values()].flat() }),
    onTrouble,
  };
  await Promise.all([
    follow(client, nodes, forever),
    follow(client, pods, forever),
    follow(client, networks, forever).catch(unlessUnknown),
  ]);
}

/** Without Multus there are no networks to follow; where they may not be read, that was said. */
function unlessUnknown(error: unknown): void {
  if (!isStatus(error, 404, 403)) throw error;
}

/** Which annotations count may change with the networks, so Nodes are kept with all that they have. */
function itemsOf(
  networks: readonly Network[],
  all: NodeFacts[],
  pods: PodAddress[],
  given: readonly string[],
): NodeRangesItem[] {
  const keys = chooseKeys(networks, given);
  const nodes = all
    .map((node) => keepAnnotations(node, keys.isOne))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const parts = { nodes, pods, networks: [...networks], serviceCIDRs: [], notes: [] };
  return listItems(composeSurvey(parts, keys, given), given);
}

function keepAnnotations(node: NodeFacts, isKept: (key: string, value: string) => boolean): NodeFacts {
  const kept = Object.entries(node.annotations).filter(([key, value]) => isKept(key, value));
  return { ...node, annotations: Object.fromEntries(kept) };
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
