import { formatIp } from "../address/ip.ts";
import { type HeldBlock, parseHeldBlocks } from "../api/held-blocks.ts";
import type { Client } from "../kube/client.ts";
import { getNodeBlock } from "./node-blocks.ts";
import type { PoolStores } from "./pool-stores.ts";
import type { ServedBlock } from "./served-blocks.ts";

/** Of blocks that no annotation of the Node names any more, those with leases and without a NodeBlock of this Node's. */
export async function findHeld(
  client: Client,
  blocks: readonly ServedBlock[],
  stores: PoolStores,
  node: string,
): Promise<HeldBlock[]> {
  const held: HeldBlock[] = [];
  for (const { name, subnet, span, nodeUID } of blocks) {
    const used = stores.used(span);
    if (used === 0 || (await getNodeBlock(client, name))?.spec.nodeName === node) continue;
    held.push({ name, subnet, first: formatIp(span.first), last: formatIp(span.last), used, nodeUID });
  }
  return held;
}

/** How much is used changes all the time: it is told with the rest. */
export function isToldOf(text: string | undefined, held: HeldBlock[]): boolean {
  if (text === undefined) return held.length === 0;
  try {
    const strip = (blocks: HeldBlock[]) => JSON.stringify(blocks.map((one) => ({ ...one, used: 0 })));
    return held.length > 0 && strip(parseHeldBlocks(text)) === strip(held);
  } catch {
    return false;
  }
}
