import type { NodeBlock } from "../api/node-block.ts";
import { poolAnnotationKey } from "../api/pool-names.ts";
import type { Finding } from "./findings.ts";
import type { NodeFacts, NodeRanges } from "./node-ranges.ts";
import type { PoolObjects } from "./pool-objects.ts";
import { labelOfKey } from "./pool-ranges.ts";
import type { Survey } from "./survey.ts";

/** What can be amiss between NodeBlocks, which are the claims, and annotations, which show them to nodes. */
export type PoolCheck =
  | "not-annotated"
  | "not-claimed"
  | "claimed-by-another"
  | "shared-block"
  | "node-gone"
  | "not-ready";

type Annotated = { node: string; key: string; name: string; closing: boolean };

/** Compares NodeBlocks with annotations; nothing where NodeBlocks can't be read. `isChosen`: keys that are looked at. */
export function findPoolTroubles(
  { nodes, ranges }: Survey,
  { blocks, isKnown }: PoolObjects,
  isChosen: (key: string) => boolean,
): Finding[] {
  if (!isKnown) return [];
  const annotated = ranges.flatMap(blocksOf);
  const own = blocks.filter(({ spec }) => isChosen(poolAnnotationKey(spec.pool)));
  const shown = new Set(annotated.map(({ node, name }) => `${node} ${name}`));
  const byUid = new Map(nodes.map((node) => [node.uid, node]));
  const claims = new Map(blocks.map((block) => [block.metadata.name, block]));
  return [
    ...own.flatMap((block) => judgeClaim(block, byUid.get(block.spec.nodeUID), shown)),
    ...annotated.flatMap((one) => judgeAnnotated(one, claims.get(one.name))),
    ...findShared(annotated),
  ];
}

function blocksOf({ node, key, pool, isForeign }: NodeRanges): Annotated[] {
  if (!pool || isForeign) return [];
  return pool.blocks.map(({ name, closing = false }) => ({ node, key, name, closing }));
}

function judgeClaim(block: NodeBlock, node: NodeFacts | undefined, shown: ReadonlySet<string>): Finding[] {
  const { spec, metadata } = block;
  const key = poolAnnotationKey(spec.pool);
  const named = nameBlock(block);
  const place = { subjects: [`nodeblock/${metadata.name}`, `node/${spec.nodeName}`], key };
  if (!node) {
    const message = `${named} is of ${spec.nodeName} with UID ${spec.nodeUID}, and there is no such Node: it is kept for the pool's blockReleaseDelay`;
    return [{ check: "node-gone", ...place, message }];
  }
  // The annotation goes before a closing block does.
  if (shown.has(`${node.name} ${metadata.name}`) || spec.closing) return [];
  const message = `${named} is ${node.name}'s, but its annotation ${key} doesn't have it: is kube-node-controller running?`;
  return [{ check: "not-annotated", ...place, message }];
}

function judgeAnnotated({ node, key, name }: Annotated, claim: NodeBlock | undefined): Finding[] {
  const place = { subjects: [`node/${node}`, `nodeblock/${name}`], key };
  if (!claim) {
    const message = `${labelOfKey(key)} of ${node} has block ${name}, and there is no such NodeBlock: kubectl kube-node rebuild makes it`;
    return [{ check: "not-claimed", ...place, message }];
  }
  if (claim.spec.nodeName === node) return [];
  const message = `${labelOfKey(key)} of ${node} has block ${name}, and that NodeBlock is ${claim.spec.nodeName}'s`;
  return [{ check: "claimed-by-another", ...place, message }];
}

function findShared(annotated: Annotated[]): Finding[] {
  return [...Map.groupBy(annotated, ({ name }) => name)].flatMap(([name, all]) => {
    const nodes = [...new Set(all.map(({ node }) => node))];
    const [{ key }] = all as [Annotated];
    if (nodes.length < 2) return [];
    const message = `block ${name} of ${labelOfKey(key)} is in the annotations of ${nodes.join(" and ")}: their pods may get the same addresses`;
    return [{ check: "shared-block", subjects: nodes.map((node) => `node/${node}`), key, message }];
  });
}

function nameBlock({ metadata, spec }: NodeBlock): string {
  return `block ${metadata.name} (${spec.first}-${spec.last})`;
}
