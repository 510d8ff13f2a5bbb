import type { Block } from "./block.ts";
import { countAddressesOf, isOnGrid } from "./block-addresses.ts";
import type { Pool } from "./pool.ts";

/** Why a person should look at a block that stays as it is. */
export type Doubt =
  | "unreadable" // its addresses make no sense, or its index isn't its name's
  | "off the grid" // its addresses aren't those of its index
  | "outside" // it reaches beyond the pool's end
  | "kept for another" // a static allocation gives it to another node, or to none
  | "static elsewhere" // a static allocation gives its node another one
  | "no address left"; // pods can get none of it

/** What is odd about a block by itself; `serves` is false where its node's pods get nothing of it. */
export function judgeBlock(pool: Pool, block: Block): { doubt: Doubt | undefined; serves: boolean } {
  const serves = countAddressesOf(pool, block) > 0n;
  return { doubt: doubtOf(pool, block, serves), serves };
}

function doubtOf(pool: Pool, block: Block, serves: boolean): Doubt | undefined {
  if (!block.span) return "unreadable";
  if (!isOnGrid(pool.grid, block)) return "off the grid";
  if (block.index >= pool.grid.count) return "outside";
  const own = pool.statics.get(block.index);
  if (own && own.nodeName !== block.nodeName) return "kept for another";
  if ((pool.staticOf.get(block.nodeName) ?? block.index) !== block.index) return "static elsewhere";
  return serves ? undefined : "no address left";
}
