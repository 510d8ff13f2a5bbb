import type { Cluster } from "./cluster.ts";
import type { Network } from "./networks.ts";
import * as print from "./print.ts";
import {
  type Attachment,
  callAsRuntime,
  type Outcome,
  type Result,
  typeCommand,
  type Verb,
} from "./runtime.ts";
import type { Pod, Stage } from "./stage.ts";

/** What there is so far; `attachments` are those that have addresses. */
export type Scene = { stage: Stage; cluster: Cluster; attachments: Attachment[]; stopping: AbortSignal };

/** A pod's interface, the command shown before it is executed. Its addresses are in `result`. */
export async function add(scene: Scene, pod: Pod, ifname: string, network: Network): Promise<Attachment> {
  const attachment = { pod, netns: netnsOf(scene, pod), ifname, network };
  showCommand(scene, attachment);
  const { document } = await call(scene, "ADD", attachment);
  const added = { ...attachment, result: document as Result };
  scene.attachments.push(added);
  return added;
}

/** An ADD that has to fail: its error. A runtime lets a DEL follow. */
export async function refuse(scene: Scene, pod: Pod, network: Network): Promise<unknown> {
  scene.stopping.throwIfAborted();
  const attachment = { pod, netns: netnsOf(scene, pod), ifname: "net1", network };
  showCommand(scene, attachment);
  const { ok, document } = await callAsRuntime(scene.stage, "ADD", attachment);
  if (ok) throw new Error("an ADD without ranges should have failed");
  await call(scene, "DEL", attachment);
  return document;
}

function showCommand({ stage }: Scene, attachment: Attachment): void {
  const prompt = stage.lacks.length > 0 ? "$" : `${attachment.pod.node.name}#`;
  print.command(prompt, typeCommand(stage, "ADD", attachment));
}

/** A pod's second interface is in the namespace of its first. */
function netnsOf({ stage, attachments }: Scene, pod: Pod): string {
  return attachments.find((attachment) => attachment.pod === pod)?.netns ?? stage.addPod(pod);
}

/** A call that has to succeed. One that is under way when the demo is stopped ends first: nothing is left half done. */
export async function call(scene: Scene, verb: Verb, attachment: Attachment): Promise<Outcome> {
  scene.stopping.throwIfAborted();
  const outcome = await callAsRuntime(scene.stage, verb, attachment);
  if (outcome.ok) return outcome;
  throw new Error(`${verb} for ${attachment.pod.name} failed: ${JSON.stringify(outcome.document)}`);
}

/** All that the ADD printed. */
export function showResult({ result }: Attachment): void {
  print.document(result);
}
