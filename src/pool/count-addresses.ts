import { countIn } from "../address/runs.ts";
import { countAddressesOf, countPodPlaces } from "./block-addresses.ts";
import { spanOfBlock } from "./grid.ts";
import { oddBlocks } from "./odd-blocks.ts";
import type { Pool } from "./pool.ts";

/** Addresses for pods in all blocks that can be given. Costs what exclusions and static allocations cost, however many blocks there are. */
export function countAddresses(pool: Pool): bigint {
  const { grid, statics } = pool;
  const { swallowed, others } = oddBlocks(pool);
  const alike = grid.count - countIn(swallowed) - BigInt(others.length);
  return others
    .filter((index) => !isNobodys(statics.get(index)))
    .reduce(
      (sum, index) => sum + countAddressesOf(pool, { index, span: spanOfBlock(grid, index) }),
      alike * countPodPlaces(pool),
    );
}

function isNobodys(block: { nodeName?: string } | undefined): boolean {
  return block !== undefined && block.nodeName === undefined;
}
