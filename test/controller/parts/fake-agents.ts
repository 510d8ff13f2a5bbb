import { parsePoolAnnotation } from "../../../src/api/pool-annotation.ts";
import { poolOfAnnotationKey } from "../../../src/api/pool-names.ts";
import type { Block, Node, PoolCluster } from "./pool-cluster.ts";

/** What all nodes' agents do: a block that its Node has shown closing for a while, and that closes, is drained. Run again and again; `drained` gets their names. */
export function makeFakeAgents(
  cluster: PoolCluster,
  afterMs: number,
  drained = new Set<string>(),
): () => Promise<void> {
  const since = new Map<string, number>();
  return async () => {
    const nodes = await cluster.client.list("/api/v1/nodes", (item) => item as Node);
    const closing = new Set(nodes.flatMap((node) => closingBlocks(node)));
    for (const key of [...since.keys()]) if (!closing.has(key)) since.delete(key);
    for (const key of closing) {
      if (!since.has(key)) since.set(key, Date.now());
      if (Date.now() - (since.get(key) ?? 0) < afterMs) continue;
      const name = key.slice(key.indexOf(" ") + 1);
      const node = key.slice(0, key.indexOf(" "));
      const block = await cluster.block(name);
      if (block?.spec.closing && !block.status?.drained && block.spec.nodeName === node) {
        drained.add(name);
        await drain(cluster, block);
      }
    }
  };
}

function closingBlocks({ metadata }: Node): string[] {
  return Object.entries(metadata.annotations ?? {}).flatMap(([key, text]) => {
    if (!poolOfAnnotationKey(key)) return [];
    const annotation = parsePoolAnnotation(text);
    if (annotation.nodeUID !== metadata.uid) return [];
    return annotation.blocks.flatMap(({ name, closing }) => (closing ? [`${metadata.name} ${name}`] : []));
  });
}

async function drain({ client }: PoolCluster, { metadata }: Block): Promise<void> {
  const { name, uid, resourceVersion } = metadata;
  const body = { metadata: { uid, resourceVersion }, status: { drained: true, used: 0 } };
  const path = `/apis/ipam.kube-node.io/v1alpha1/nodeblocks/${name}/status`;
  await client.patch(path, body, "merge").catch(() => {}); // Somebody wrote it meanwhile: at the next look.
}
