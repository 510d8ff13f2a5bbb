import type { Span } from "../address/range.ts";
import { AnnotationError } from "../api/annotation.ts";
import { type PoolAnnotationBlock, parsePoolAnnotation, parsePoolRange } from "../api/pool-annotation.ts";
import { poolOfAnnotationKey } from "../api/pool-names.ts";
import type { NodeFacts } from "../kube/node.ts";

/** A block of this node, as its annotation tells of it. */
export type OwnBlock = {
  name: string;
  subnet: string;
  /** From the first to the last of its addresses for pods; undefined where exclusions have taken all. */
  span: Span | undefined;
  closing: boolean;
};

/** The blocks in a Node's annotations; `note` hears of those that can't be read. */
export function ownBlocks({ annotations, uid }: NodeFacts, note: (words: string) => void): OwnBlock[] {
  return Object.entries(annotations).flatMap(([key, text]) => {
    if (!poolOfAnnotationKey(key)) return [];
    try {
      const { nodeUID, blocks } = parsePoolAnnotation(text);
      if (nodeUID === uid) return blocks.map(toOwn);
      note(`annotation ${key} is another Node's: it names the UID ${nodeUID}`);
      return [];
    } catch (error) {
      if (!(error instanceof AnnotationError)) throw error;
      note(`annotation ${key} is malformed: ${error.message}`);
      return [];
    }
  });
}

function toOwn({ name, subnet, ranges, closing }: PoolAnnotationBlock): OwnBlock {
  const [first, last] = [ranges[0], ranges.at(-1)].map((range) => parsePoolRange(range ?? ""));
  const span = first && last ? { first: first.first, last: last.last } : undefined;
  return { name, subnet, span, closing: closing === true };
}
