import type { NodeBlock } from "../../src/api/node-block.ts";
import { formatPoolAnnotation } from "../../src/api/pool-annotation.ts";
import type { PoolKind } from "../../src/api/pool-kind.ts";
import { poolAnnotationKey } from "../../src/api/pool-names.ts";
import type { Client } from "../../src/kube/client.ts";
import { draftBlock, readBlock } from "../../src/pool/block.ts";
import type { Pool } from "../../src/pool/pool.ts";
import { projectBlocks } from "../../src/pool/project-blocks.ts";
import { readPool } from "../../src/pool/read-pool.ts";
import type { JsonObject } from "../../src/text/json.ts";
import { poolPath } from "./pool-resources.ts";

type Metadata = { metadata: { uid: string } };

/** Makes a pool, as an administrator would. */
export async function createPool(
  client: Client,
  kind: PoolKind,
  name: string,
  spec: JsonObject,
): Promise<Pool> {
  const apiVersion = "ipam.kube-node.io/v1alpha1";
  const object = { apiVersion, kind, metadata: { name }, spec };
  const { metadata } = await client.create<Metadata>(poolPath(kind), object);
  const read = readPool({ kind, name, uid: metadata.uid, spec });
  if ("pool" in read) return read.pool;
  throw new Error(`${kind} ${name}: ${JSON.stringify(read.faults)}`);
}

/** Gives blocks by their indexes to a Node, as the controller would: NodeBlocks first, then the annotation. */
export async function giveBlocks(
  client: Client,
  pool: Pool,
  node: string,
  blocks: { index: bigint; closing?: boolean }[],
): Promise<void> {
  const { metadata } = await client.get<Metadata>(`/api/v1/nodes/${node}`);
  const documents = blocks.map(({ index, closing }): NodeBlock => {
    const block = draftBlock(pool, { name: node, uid: metadata.uid }, index);
    return closing ? { ...block, spec: { ...block.spec, closing } } : block;
  });
  for (const document of documents) await client.create(poolPath("NodeBlock"), document);
  const shown = projectBlocks(
    pool,
    metadata.uid,
    documents.flatMap((one) => readBlock(one) ?? []),
  );
  const annotations = { [poolAnnotationKey(pool)]: formatPoolAnnotation(shown) };
  await client.patch(`/api/v1/nodes/${node}`, { metadata: { annotations } }, "merge");
}
