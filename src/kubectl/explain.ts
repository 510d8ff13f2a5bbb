import { Command } from "commander";
import { type Ip, parseIp } from "../address/ip.ts";
import { oneAddressFault } from "../address/one-address.ts";
import { isStatus } from "../kube/api-error.ts";
import type { Client } from "../kube/client.ts";
import { type AddressFacts, gatherFacts, isHeldTwice } from "../survey/address-facts.ts";
import { type PodState, readPodState } from "../survey/pod-state.ts";
import { readPoolObjects } from "../survey/pool-objects.ts";
import { viewPools } from "../survey/pool-view.ts";
import { type Survey, takeSurvey } from "../survey/survey.ts";
import { describeAddress, describeWithoutAddress } from "./address-words.ts";
import { addHelp } from "./help.ts";
import { formatList, type OutputFormat, outputOption } from "./output.ts";
import { warn } from "./say-few.ts";
import type { Shell } from "./shell.ts";
import { surveyOptionsOf } from "./survey-flags.ts";
import { UsageError } from "./usage-error.ts";

type Options = { output: OutputFormat };

export function explainCommand(shell: Shell, end: (code: number) => void): Command {
  const command = new Command("explain")
    .description("An address or a pod: node, range, pool, network, who has it and since when")
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

async function explain(what: string, { output }: Options, command: Command, shell: Shell): Promise<number> {
  const fault = oneAddressFault(what);
  if (fault !== undefined) throw new UsageError(fault);
  const ip = parseIp(what);
  if (!ip && !/^([a-z0-9.-]+\/)?[a-z0-9.-]+$/.test(what))
    throw new UsageError(`${JSON.stringify(what)} is neither an IP address nor NAMESPACE/POD`);
  const { client, namespace } = await shell.connect(command);
  const pod = ip ? undefined : await findPod(client, what.includes("/") ? what : `${namespace}/${what}`);
  const survey = await takeSurvey(client, surveyOptionsOf({}, shell));
  const objects = await readPoolObjects(client, survey.notes);
  warn(survey.notes, shell);
  const pools = viewPools(survey, objects);
  const all = (ip ? [ip] : addressesOf(pod, survey)).map((address) => gatherFacts(survey, address, pools));
  if (output === "json" || output === "yaml") shell.print(await formatList("AddressList", all, output));
  else if (pod && all.length === 0) shell.print(describeWithoutAddress(pod));
  else
    shell.print(
      all.map((facts) => describeAddress(facts, isHeldTwice(survey, facts), shell.paint)).join("\n"),
    );
  const isUnknown = all.length === 0 ? pod?.hostNetwork !== true : all.some(isUnheardOf);
  return isUnknown || all.some((facts) => isHeldTwice(survey, facts)) ? 1 : 0;
}

function isUnheardOf({ ranges, pods, pools = [], serviceCIDR }: AddressFacts): boolean {
  return ranges.length + pods.length + pools.length === 0 && serviceCIDR === undefined;
}

async function findPod(client: Client, name: string): Promise<PodState> {
  const [namespace = "", pod = ""] = name.split("/");
  try {
    return readPodState(await client.get(`/api/v1/namespaces/${namespace}/pods/${pod}`));
  } catch (error) {
    if (!isStatus(error, 404)) throw error;
    throw new Error(`there is no pod ${pod} in namespace ${namespace}: name it as NAMESPACE/POD, or give -n`);
  }
}

function addressesOf(pod: PodState | undefined, { pods }: Survey): Ip[] {
  const own = pods.filter((one) => one.namespace === pod?.namespace && one.pod === pod.name);
  return [...new Set(own.map(({ address }) => address))].map((address) => parseIp(address) as Ip);
}
