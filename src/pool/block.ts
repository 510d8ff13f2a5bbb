import type { Span } from "../address/range.ts";
import type { NodeBlock } from "../api/node-block.ts";
import type { PoolReference } from "../api/pool-names.ts";

/** A NodeBlock, read once. The index is its name's, since the name is the claim. */
export type Block = {
  name: string;
  pool: PoolReference & { uid: string };
  index: bigint;
  /** Undefined where the document's addresses make no sense. */
  span: Span | undefined;
  nodeName: string;
  nodeUID: string;
  closing: boolean;
};

/** Undefined where the document's name isn't one that claims anything. */
export function readBlock(_document: NodeBlock): Block | undefined {
  throw new Error("not yet");
}
