import { callPlugin } from "../../test/parts/plugin.ts";
import type { Network } from "./networks.ts";
import type { Pod, Stage } from "./stage.ts";

export type Verb = "ADD" | "CHECK" | "DEL";

/** One interface of a pod in a network; `result` once it has been added. */
export type Attachment = { pod: Pod; netns: string; ifname: string; network: Network; result?: Result };

/** What is looked at of a CNI result. */
export type Result = { ips: { address: string }[] };

/** What the plugin printed: JSON, or words where it printed none. */
export type Outcome = { ok: boolean; document: unknown };

/** What a container runtime does: environment, configuration, execute (CNI SPEC.md, section 2). */
export async function callAsRuntime(stage: Stage, verb: Verb, attachment: Attachment): Promise<Outcome> {
  const { pod, network, result } = attachment;
  const answer = await callPlugin({
    command: stage.onNode(pod.node, [stage.plugin]),
    env: variables(stage, verb, attachment),
    stdin: result ? { ...network, prevResult: result } : network,
    cwd: "/",
  });
  return { ok: answer.exitCode === 0, document: answer.json ?? `${answer.stdout}${answer.stderr}`.trim() };
}

/** The same as one could type it. */
export function typeCommand(stage: Stage, verb: Verb, attachment: Attachment): string[] {
  const set = Object.entries(variables(stage, verb, attachment)).map(([name, value]) => `${name}=${value}`);
  return [...set, stage.plugin, `<${attachment.network.name}.json`];
}

function variables(stage: Stage, verb: Verb, { pod, netns, ifname }: Attachment): Record<string, string> {
  return {
    CNI_COMMAND: verb,
    CNI_CONTAINERID: pod.name,
    CNI_NETNS: netns,
    CNI_IFNAME: ifname,
    CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=${pod.namespace};K8S_POD_NAME=${pod.name}`,
    CNI_PATH: stage.cniPath,
  };
}
