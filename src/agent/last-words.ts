import { parsePoolAnnotation } from "../api/pool-annotation.ts";
import type { NodeFacts } from "../kube/node.ts";
import type { Inventory } from "../lease/inventory.ts";
import { type LastAnswer, listLastAnswers, writeLastAnswer } from "../ranges/last-answer.ts";
import { poolsOfLabel } from "../ranges/pool-source.ts";

/** When and where the API server was last heard to say what the Node is now. */
export type Hearing = { node: NodeFacts; bootID: string; heardAt: number; now: number; machineIDs: string[] };

/**
 * Answers that the plugin keeps for outages, and that still give this block to pods: they are written anew, as the Node is now. Gives
 * how many there were: a plugin that was slow may write an old one once more.
 */
export function correctLastWords(inventories: Inventory[], block: string, hearing: Hearing): number {
  const { node, bootID, heardAt, now, machineIDs } = hearing;
  let count = 0;
  for (const { state } of inventories) {
    for (const answer of listLastAnswers(state.folder, machineIDs)) {
      const source = poolsOfLabel(answer.source);
      if (!source || !gives(answer, block)) continue;
      count++;
      const time = new Date(Date.now() - (now - heardAt) * 1000).toISOString();
      const own = { name: node.name, uid: node.uid };
      writeLastAnswer(state.folder, {
        ...answer,
        node: own,
        value: source.pick(node),
        bootID,
        at: heardAt,
        time,
      });
    }
  }
  return count;
}

/** What can't be read gives nothing: the plugin reads it as we do. */
function gives({ value }: LastAnswer, name: string): boolean {
  const texts = Array.isArray(value) ? value.slice(1) : [];
  return texts.some((text) => {
    try {
      return parsePoolAnnotation(text).blocks.some((block) => block.name === name && !block.closing);
    } catch {
      return false;
    }
  });
}
