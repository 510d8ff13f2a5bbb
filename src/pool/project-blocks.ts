import type { PoolAnnotation } from "../api/pool-annotation.ts";
import type { Block } from "./block.ts";
import type { Pool } from "./pool.ts";

/** What the Node's annotation says of its blocks of a pool. A block of an earlier Node of that name is shown closing. */
export function projectBlocks(_pool: Pool, _nodeUID: string, _blocks: Block[]): PoolAnnotation {
  throw new Error("not yet");
}
