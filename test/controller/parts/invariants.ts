import type { NodeBlock } from "../../../src/api/node-block.ts";
import { parsePoolAnnotation } from "../../../src/api/pool-annotation.ts";
import { poolOfAnnotationKey } from "../../../src/api/pool-names.ts";
import type { Revision } from "./observer.ts";
import type { Block, Node } from "./pool-cluster.ts";

type Shown = { uid: string; since: number; blocks: Map<string, { isClosing: boolean }> };

/** What must never have been, through every revision in its order, each as a sentence. */
export function findFaults(revisions: Revision[], releaseDelayMs: number): string[] {
  const faults: string[] = [];
  const nodes = new Map<string, Shown>();
  const blocks = new Map<string, Block>();
  const goneSince = new Map<string, number>();
  /** By the block's UID: the Node, by UID, that was there when its agent said that it is drained. */
  const drainedBy = new Map<string, string | undefined>();
  for (const { version, at, kind, isGone, object } of revisions.toSorted((a, b) => a.version - b.version)) {
    const fault = (words: string) => faults.push(`revision ${version}: ${words}`);
    if (kind === "NodeBlock") {
      const block = object as unknown as Block;
      if (!isGone) {
        blocks.set(block.metadata.name, block);
        const by = nodes.get(block.spec.nodeName)?.uid;
        if (block.status?.drained && !drainedBy.has(block.metadata.uid))
          drainedBy.set(block.metadata.uid, by);
      } else {
        checkDeletion(block, blocks.get(block.metadata.name), at);
        blocks.delete(block.metadata.name);
      }
      continue;
    }
    const node = object as unknown as Node;
    const { name, uid } = node.metadata;
    if (isGone) {
      nodes.delete(name);
      goneSince.set(uid, at);
      continue;
    }
    const before = nodes.get(name);
    const since = before?.uid === uid ? before.since : at;
    const shown: Shown = { uid, since, blocks: shownBy(node) };
    nodes.set(name, shown);
    for (const [block, { isClosing }] of shown.blocks) {
      for (const [other, its] of nodes)
        if (other !== name && its.blocks.has(block) && !(isClosing && its.blocks.get(block)?.isClosing))
          fault(`${block} is shown by ${name} and by ${other}`);
      if (isClosing) continue;
      const held = blocks.get(block);
      if (held?.spec.nodeUID !== uid)
        fault(
          `${name} (${uid}) shows ${block}, which is ${held ? `for ${held.spec.nodeName} (${held.spec.nodeUID})` : "nobody's"}`,
        );
      if (before?.uid === uid && before.blocks.get(block)?.isClosing && held?.spec.closing)
        fault(`${name} shows ${block} open again, though it closes`);
    }

    function shownBy({ metadata }: Node): Shown["blocks"] {
      const found: Shown["blocks"] = new Map();
      for (const [key, text] of Object.entries(metadata.annotations ?? {})) {
        if (!poolOfAnnotationKey(key)) continue;
        const annotation = parsePoolAnnotation(text);
        if (annotation.nodeUID !== metadata.uid) continue;
        for (const { name, closing } of annotation.blocks) found.set(name, { isClosing: closing === true });
      }
      return found;
    }
  }

  function checkDeletion(last: Block, before: NodeBlock | undefined, at: number): void {
    const { name } = last.metadata;
    const { nodeName, nodeUID, closing } = last.spec;
    for (const [node, { blocks }] of nodes)
      if (blocks.has(name)) faults.push(`${name} was deleted while ${node} shows it`);
    const status = before?.status;
    if (nodes.get(nodeName)?.uid === nodeUID) {
      if (!closing || !status?.drained)
        faults.push(`${name} was taken from ${nodeName}, which had not drained it`);
      return;
    }
    if (closing && drainedBy.get(last.metadata.uid) === nodeUID) return; // The Node went after the handshake.
    const since = goneSince.get(nodeUID);
    if (since === undefined) faults.push(`${name} was deleted, and nobody knows of its Node`);
    else if (at - since < releaseDelayMs - 250)
      faults.push(
        `${name} was free ${at - since} ms after ${nodeName} was gone (said to be at ${status?.nodeGoneAt}, heard at ${new Date(since).toISOString()}; free at ${new Date(at).toISOString()})`,
      );
    // The decision to free it may be on its way while the Node is made again; the delay was over by then.
    const again = nodes.get(nodeName);
    if (again && since !== undefined && again.since - since < releaseDelayMs - 250 && !status?.drained)
      faults.push(`${name} was deleted, and the Node made again under its name had not drained it`);
  }
  return faults;
}
