import type { Block } from "./block.ts";
import type { Pool } from "./pool.ts";

/** Addresses for pods in all blocks that could be given, or were; costs what the spec costs. */
export function countAddresses(_pool: Pool): bigint {
  throw new Error("not yet");
}

/** Addresses for pods in one block, the gateway's left out. */
export function countAddressesOf(_pool: Pool, _block: Pick<Block, "span">): bigint {
  throw new Error("not yet");
}
