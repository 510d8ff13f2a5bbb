import { parseIp } from "../address/ip.ts";
import { isInside } from "../address/range.ts";
import type { NodeBlock } from "../api/node-block.ts";
import { readBlock } from "../pool/block.ts";

/** An address that a pod has now, and where. */
export type PodPlace = { address: string; node: string; namespace: string; pod: string };

/** How many addresses pods have of these blocks, on their nodes; and who has one of them on another node, as sentences. */
export function countPods(
  blocks: readonly NodeBlock[],
  pods: readonly PodPlace[],
): { stay: number; elsewhere: string[] } {
  const read = blocks.flatMap((document) => readBlock(document) ?? []);
  const found = pods.flatMap((pod) => {
    const ip = parseIp(pod.address);
    const block = ip && read.find(({ span }) => span && isInside(span, ip));
    return block ? [{ pod, block }] : [];
  });
  const strays = found.filter(({ pod, block }) => pod.node !== block.nodeName);
  return {
    stay: found.length - strays.length,
    elsewhere: strays.map(
      ({ pod, block }) =>
        `${pod.namespace}/${pod.pod} on ${pod.node} has ${pod.address}, which is ${block.nodeName}'s: delete the pod where that is this pool's network`,
    ),
  };
}
