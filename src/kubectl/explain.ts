import { Command } from "commander";
import { type Ip, parseIp } from "../address/ip.ts";
import { ApiError } from "../kube/api-error.ts";
import type { Client } from "../kube/client.ts";
import { type AddressFacts, gatherFacts, isHeldTwice } from "../survey/address-facts.ts";
import { podNetwork } from "../survey/pod-address.ts";
import { type PodState, readPodState } from "../survey/pod-state.ts";
import { formatRangeSet } from "../survey/range-set.ts";
import { type Survey, takeSurvey } from "../survey/survey.ts";
import { formatAge } from "../terminal/age.ts";
import { addHelp } from "./help.ts";
import { formatList, type OutputFormat, outputOption } from "./output.ts";
import type { Shell } from "./shell.ts";
import { addKeyFlag, type SurveyFlags, surveyOptionsOf } from "./survey-flags.ts";
import { UsageError } from "./usage-error.ts";

type Options = Pick<SurveyFlags, "key"> & { output: OutputFormat };

export function explainCommand(shell: Shell, end: (code: number) => void): Command {
  const command = addKeyFlag(new Command("explain"))
    .description("An address or a pod: node, range, network, who has it and since when")
    .argument("<what>", "an IP address, NAMESPACE/POD, or POD in the namespace of -n")
    .addOption(outputOption(["table", "json", "yaml"]))
    .action(async (what: string, options: Options) => end(await explain(what, options, command, shell)));
  return addHelp(
    command,
    [
      ["explain 10.1.3.7", "Who has this address, and which node gives it"],
      ["explain default/web-0", "All addresses of a pod"],
      ["explain web-0 -n default -o yaml", "The same, for a script"],
    ],
    [
      "0  it is known, and held by one pod at most",
      "1  nothing is known of it, two pods hold it, or something went wrong",
      "2  a mistake in the words of the command",
    ],
  );
}

async function explain(
  what: string,
  { key, output }: Options,
  command: Command,
  shell: Shell,
): Promise<number> {
  const ip = parseIp(what);
  if (!ip && !/^([a-z0-9.-]+\/)?[a-z0-9.-]+$/.test(what))
    throw new UsageError(`${JSON.stringify(what)} is neither an IP address nor NAMESPACE/POD`);
  const { client, namespace } = await shell.connect(command);
  const pod = ip ? undefined : await findPod(client, what.includes("/") ? what : `${namespace}/${what}`);
  const survey = await takeSurvey(client, surveyOptionsOf({ ...(key && { key }) }, shell));
  for (const note of survey.notes) shell.say(`note: ${note}`);
  const all = (ip ? [ip] : addressesOf(pod, survey)).map((address) => gatherFacts(survey, address));
  if (output === "json" || output === "yaml") shell.print(await formatList("AddressList", all, output));
  else {
    if (pod && all.length === 0) shell.print(describeWithout(pod));
    for (const facts of all) shell.print(describe(facts, survey, shell));
  }
  const isKnown =
    all.length > 0 &&
    all.every(({ ranges, pods, serviceCIDR }) => ranges.length + pods.length > 0 || serviceCIDR);
  return isKnown && !all.some((facts) => isHeldTwice(survey, facts)) ? 0 : 1;
}

async function findPod(client: Client, name: string): Promise<PodState> {
  const [namespace = "", pod = ""] = name.split("/");
  try {
    return readPodState(await client.get(`/api/v1/namespaces/${namespace}/pods/${pod}`));
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    throw new Error(`there is no pod ${pod} in namespace ${namespace}: name it as NAMESPACE/POD, or give -n`);
  }
}

function addressesOf(pod: PodState | undefined, { pods }: Survey): Ip[] {
  const own = pods.filter((one) => one.namespace === pod?.namespace && one.pod === pod.name);
  return [...new Set(own.map(({ address }) => address))].map((address) => parseIp(address) as Ip);
}

function describeWithout({ namespace, name, phase, node, hostNetwork }: PodState): string {
  const where = node === undefined ? "isn't on a node yet" : `is on ${node}`;
  if (hostNetwork)
    return `${namespace}/${name} uses its node's network, and so has no address of its own; it ${where}`;
  return `${namespace}/${name} has no address (${phase}); it ${where}. kubectl describe pod says what it waits for`;
}

function describe(facts: AddressFacts, survey: Survey, { paint }: Shell): string {
  const { address, ranges, pods, serviceCIDR } = facts;
  const lines = [
    ...ranges.map(({ node, key, networks, ranges: set }) => {
      const used = networks.length > 0 ? `, used by ${networks.join(", ")}` : "";
      return ["range", `${formatRangeSet(set)}, which ${node} has by ${key}${used}`];
    }),
    ...(serviceCIDR ? [["range", `${serviceCIDR}, of which Services get their addresses`]] : []),
    ...(ranges.length === 0 && !serviceCIDR ? [["range", "in none that a node has"]] : []),
    ...pods.map(({ namespace, pod, node, network, since }) => {
      const how = network === podNetwork ? "" : ` by network ${network}`;
      return [
        "pod",
        `${namespace}/${pod} on ${node}${how}, since ${since} (${formatAge(Date.now() - Date.parse(since))})`,
      ];
    }),
    ...(pods.length === 0 ? [["pod", "none has it"]] : []),
  ];
  const rows = lines.map(([name = "", words = ""]) => `  ${name.padEnd(5)}   ${words}`);
  const twice = isHeldTwice(survey, facts) ? paint.red(" is held by more than one pod") : "";
  return [`${paint.bold(address)}${twice}`, ...rows].join("\n");
}
