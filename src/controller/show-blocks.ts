import { heldBlocksKey } from "../api/held-blocks.ts";
import { controllerName, parseNodeBlockName, poolKey } from "../api/pool-names.ts";
import { isStatus } from "../kube/api-error.ts";
import { isObject } from "../text/json.ts";
import { blocksCarriedBy } from "./carried.ts";
import type { ControllerContext } from "./context.ts";
import { isForgiven } from "./pool-entry.ts";
import { isShown, type Projection, projectNode } from "./project-node.ts";
import { type NodeRecord, readNodeRecord } from "./records.ts";
import { lookAtBlock, lookAtNode, paths } from "./resources.ts";

const attempts = 6;

/** The Node is another one by now, or gone. */
export class NodeChanged extends Error {}

/**
 * Brings the Node's annotations to what its NodeBlocks say, by one write that only this very version of the Node takes. Decision 14: a
 * block is shown open only where the Node shows it open already, or where it was made or read after this version was; `proven` names
 * those. So a write that was computed before a block was taken back never lands after it.
 */
export async function showBlocks(
  context: ControllerContext,
  known: NodeRecord,
  made: ReadonlySet<string>,
): Promise<NodeRecord> {
  let node = known;
  let proven = made;
  for (let attempt = 1; ; attempt++) {
    const wanted = await project(context, node, proven);
    if (isThere(node, wanted)) return node;
    try {
      return await write(context, node, wanted);
    } catch (error) {
      if (!isStatus(error, 409) && !isStatus(error, 404)) throw error;
      context.metrics.retries.inc({ reason: "node-changed" });
      const fresh = await lookAtNode(context, node.name);
      if (fresh?.uid !== node.uid) throw new NodeChanged(`Node ${node.name} is another one, or gone`);
      if (attempt === attempts) throw error;
      node = fresh;
      proven = new Set();
    }
  }
}

/** Every block that the Node would show anew is read live, after the Node was; and every one that it shows and that isn't known as its own. */
async function project(
  context: ControllerContext,
  node: NodeRecord,
  proven: ReadonlySet<string>,
): Promise<Projection> {
  const { cluster } = context;
  const carried = blocksCarriedBy(node);
  const lost = new Set<string>();
  const isNews = (name: string, isClosing: boolean) => {
    const there = carried.get(name);
    return !there || (there.closing === true && !isClosing);
  };
  for (const block of cluster.blocksOfNode(node.name)) {
    const isClosing = block.closing || block.nodeUID !== node.uid;
    if (isShown(block) && !proven.has(block.name) && isNews(block.name, isClosing))
      await lookAtBlock(context, block.name);
  }
  for (const [name, block] of carried) {
    if (cluster.blocks.get(name)?.nodeName === node.name) continue;
    const found = await lookAtBlock(context, name);
    if (found) reportForeign(context, node, name, found.nodeName);
    else if (!block.closing && isMissing(context, name)) lost.add(name);
  }
  return projectNode(cluster, node, lost);
}

function reportForeign({ log }: ControllerContext, node: NodeRecord, block: string, holder: string): void {
  if (holder === node.name) return;
  log.error("a Node's annotation named a block of another Node, and is put right", {
    node: node.name,
    block,
    holder,
  });
}

/** Nobody said that it may be forgotten. */
function isMissing({ cluster }: ControllerContext, name: string): boolean {
  const pool = parseNodeBlockName(name);
  const entry = pool && cluster.pools.get(poolKey(pool));
  const missing = entry?.missing.get(name);
  return entry !== undefined && !(missing && isForgiven(entry, missing));
}

function isThere({ annotations }: NodeRecord, { texts, left }: Projection): boolean {
  const there = Object.keys(annotations).filter((key) => key !== heldBlocksKey && !left.has(key));
  return there.length === Object.keys(texts).length && there.every((key) => annotations[key] === texts[key]);
}

async function write(context: ControllerContext, node: NodeRecord, wanted: Projection): Promise<NodeRecord> {
  const after = await apply(context, node, wanted, false).catch((error) => {
    const other = otherManager(error);
    if (other === undefined) throw error;
    context.log.warn("somebody else wrote our annotation of a Node, which is put right", {
      node: node.name,
      manager: other,
    });
    context.events.foreignValue(node, other);
    return apply(context, node, wanted, true);
  });
  context.cluster.putNode(after);
  return isThere(after, wanted) ? after : await removeLeftovers(context, after, wanted);
}

async function apply(
  { nodeClient, metrics }: ControllerContext,
  { name, uid, version }: NodeRecord,
  { texts }: Projection,
  force: boolean,
): Promise<NodeRecord> {
  const body = {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, uid, resourceVersion: version, annotations: texts },
  };
  const query = `fieldManager=${controllerName}&force=${force}`;
  const answer = await nodeClient.patch(`${paths.nodes}/${name}?${query}`, body, "apply");
  metrics.writes.inc({ what: "annotation" });
  return read(answer, name);
}

/** What an apply leaves: keys that somebody else wrote, too, and that are not to be there. */
async function removeLeftovers(
  { nodeClient, cluster }: ControllerContext,
  { name, uid, version, annotations }: NodeRecord,
  { texts, left }: Projection,
): Promise<NodeRecord> {
  const keys = Object.keys(annotations).filter(
    (key) => key !== heldBlocksKey && !left.has(key) && !(key in texts),
  );
  const gone = Object.fromEntries(keys.map((key) => [key, null]));
  const body = { metadata: { uid, resourceVersion: version, annotations: gone } };
  const query = `fieldManager=${controllerName}`;
  const after = read(await nodeClient.patch(`${paths.nodes}/${name}?${query}`, body, "merge"), name);
  cluster.putNode(after);
  return after;
}

function read(answer: unknown, name: string): NodeRecord {
  const node = readNodeRecord(answer);
  if (node?.name === name) return node;
  throw new Error(`the API server made of Node ${name} something else`);
}

/** The other field manager's name, where that is what a 409 is about. */
function otherManager(error: unknown): string | undefined {
  if (!isStatus(error, 409)) return undefined;
  const details = error.body?.["details"];
  const causes = isObject(details) && Array.isArray(details["causes"]) ? details["causes"] : [];
  const cause = causes.find((one) => isObject(one) && one["reason"] === "FieldManagerConflict");
  if (!isObject(cause)) return undefined;
  return /conflict with "([^"]*)"/.exec(String(cause["message"]))?.[1] ?? String(cause["message"]);
}
