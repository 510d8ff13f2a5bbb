import type { NodeBlock } from "../api/node-block.ts";
import { nodeBlocksPath } from "../api/pool-names.ts";
import { ApiError } from "../kube/api-error.ts";
import { eachAtOnce } from "../kube/at-once.ts";
import type { Client } from "../kube/client.ts";
import { asManagerOf } from "./field-manager.ts";

/** What became of a NodeBlock: `made`; `there`, somebody made it for the same node meanwhile; `taken` by another node; `failed`. */
export type RebuildOutcome = { state: "made" | "there" | "taken" | "failed"; words: string };

const width = 16;

/** Creates them, past failures: who creates a NodeBlock has the block, so that nothing is ever written over. */
export async function createBlocks(
  client: Client,
  blocks: NodeBlock[],
  isDryRun: boolean,
): Promise<Map<string, RebuildOutcome>> {
  const outcomes = await eachAtOnce(blocks, width, (block) => createBlock(client, block, isDryRun));
  return new Map(blocks.map(({ metadata }, at) => [metadata.name, outcomes[at] as RebuildOutcome]));
}

/** Makes NodeBlocks that are to be there; what went wrong, as sentences. */
export async function ensureBlocks(client: Client, blocks: NodeBlock[]): Promise<string[]> {
  return [...(await createBlocks(client, blocks, false))].flatMap(([name, { state, words }]) =>
    state === "made" || state === "there" ? [] : [`${name}: ${words}`],
  );
}

async function createBlock(client: Client, block: NodeBlock, isDryRun: boolean): Promise<RebuildOutcome> {
  const query = asManagerOf(isDryRun);
  try {
    await client.create(nodeBlocksPath + query, block);
    return { state: "made", words: "" };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return error.reason === "AlreadyExists"
      ? await lookAtOther(client, block, error)
      : { state: "failed", words: error.message };
  }
}

async function lookAtOther(
  client: Client,
  { metadata, spec }: NodeBlock,
  first: ApiError,
): Promise<RebuildOutcome> {
  try {
    const other = await client.get<NodeBlock>(`${nodeBlocksPath}/${metadata.name}`);
    const { nodeName } = other.spec;
    if (nodeName === spec.nodeName) return { state: "there", words: "somebody else has made it" };
    return { state: "taken", words: `it is ${nodeName}'s by now: drain ${spec.nodeName}` };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { state: "failed", words: first.message };
  }
}
