import { parseIp } from "../address/ip.ts";
import type { Span } from "../address/range.ts";
import { heldBlocksKey } from "../api/held-blocks.ts";
import type { NodeBlock, NodeBlockStatus } from "../api/node-block.ts";
import { nodeBlocksPath } from "../api/pool-names.ts";
import { unlessAbsent } from "../kube/api-error.ts";
import type { Client } from "../kube/client.ts";
import type { NodeFacts } from "../kube/node.ts";

/** A block's object by its status, which is what the agent may read and write of it. Undefined where there is none. */
export function getNodeBlock(client: Client, name: string): Promise<NodeBlock | undefined> {
  return unlessAbsent(client.get<NodeBlock>(pathOf(name)));
}

/** All of its addresses, exclusions too. */
export function spanOfBlock({ spec }: NodeBlock): Span | undefined {
  const [first, last] = [parseIp(spec.first), parseIp(spec.last)];
  return first && last ? { first, last } : undefined;
}

/** `as` is the object that the status is about: where it has changed since, nothing is written (a 409). */
export async function tellNodeBlock(
  client: Client,
  name: string,
  status: Omit<NodeBlockStatus, "seenAt" | "nodeGoneAt">,
  as?: NodeBlock,
): Promise<void> {
  const { uid, resourceVersion } = as?.metadata ?? {};
  const metadata = as ? { metadata: { uid, resourceVersion } } : {};
  const body = { ...metadata, status: { ...status, seenAt: new Date().toISOString() } };
  await client.patch(pathOf(name), body, "merge");
}

/** Writes the annotation of this very Node, or takes it away. */
export async function tellHeld(client: Client, { name, uid }: NodeFacts, text: string | null): Promise<void> {
  const body = { metadata: { uid, annotations: { [heldBlocksKey]: text } } };
  await client.patch(`/api/v1/nodes/${name}`, body, "merge");
}

function pathOf(name: string): string {
  return `${nodeBlocksPath}/${encodeURIComponent(name)}/status`;
}
