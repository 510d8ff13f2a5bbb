import { type Ip, parseIp } from "../address/ip.ts";
import { isInside } from "../address/range.ts";
import type { NodeBlock } from "../api/node-block.ts";
import { type Block, readBlock } from "../pool/block.ts";

/** An address that a pod has now, and where. */
export type PodPlace = { address: string; node: string; namespace: string; pod: string };

/** How many addresses pods have of these blocks, on their nodes; and who has one of them on another node, as sentences. */
export function countPods(
  blocks: readonly NodeBlock[],
  pods: readonly PodPlace[],
): { stay: number; elsewhere: string[] } {
  const find = indexBlocks(blocks.flatMap((document) => readBlock(document) ?? []));
  const found = pods.flatMap((pod) => {
    const ip = parseIp(pod.address);
    const block = ip && find(ip);
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

/** Finds the block of an address by halving: a pool's blocks don't overlap. */
function indexBlocks(blocks: Block[]): (ip: Ip) => Block | undefined {
  const startOf = ({ span }: Block) => span?.first.value ?? 0n;
  const sorted = blocks.filter(({ span }) => span).sort((a, b) => (startOf(a) < startOf(b) ? -1 : 1));
  return (ip) => {
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (startOf(sorted[middle] as Block) <= ip.value) low = middle + 1;
      else high = middle;
    }
    const block = sorted[low - 1];
    return block?.span && isInside(block.span, ip) ? block : undefined;
  };
}
