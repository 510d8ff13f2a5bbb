import {
  type PoolAnnotation,
  type PoolAnnotationBlock,
  readOwnPoolAnnotation,
} from "../api/pool-annotation.ts";
import { type PoolReference, poolOfAnnotationKey } from "../api/pool-names.ts";
import type { NodeRecord } from "./records.ts";

/** A pool's annotation of a Node as it stands; `says` is undefined where it is no such text, or about another Node. */
export type Carried = { key: string; pool: PoolReference; text: string; says: PoolAnnotation | undefined };

/** All pool annotations that a Node has. */
export function carriedBy({ uid, annotations }: NodeRecord): Carried[] {
  return Object.entries(annotations).flatMap(([key, text]) => {
    const pool = poolOfAnnotationKey(key);
    return pool ? [{ key, pool, text, says: readOwnPoolAnnotation(text, uid) }] : [];
  });
}

/** The blocks that a Node's annotations name, by name. */
export function blocksCarriedBy(node: NodeRecord): Map<string, PoolAnnotationBlock> {
  const blocks = carriedBy(node).flatMap(({ says }) => says?.blocks ?? []);
  return new Map(blocks.map((block) => [block.name, block]));
}
