import { formatCidr } from "../address/cidr.ts";
import { bitsOf, formatIp } from "../address/ip.ts";
import type { NvAllocation } from "../api/nv-ipam.ts";
import type { Block } from "../pool/block.ts";
import { gatewayOfBlock } from "../pool/block-addresses.ts";
import { spanOfBlock } from "../pool/grid.ts";
import type { Pool } from "../pool/pool.ts";

/** A block as nv-ipam's status says it. */
export function formatAllocation(
  pool: Pool,
  { index, nodeName }: Pick<Block, "index" | "nodeName">,
): NvAllocation {
  const span = spanOfBlock(pool.grid, index);
  const { first, last } = span;
  if (pool.kind === "IPPool") return { nodeName, startIP: formatIp(first), endIP: formatIp(last) };
  const prefix = bitsOf(first.family) - (pool.grid.size.toString(2).length - 1);
  const gateway = gatewayOfBlock(pool, { index, span });
  return {
    nodeName,
    prefix: formatCidr({ ip: first, prefix }),
    ...(gateway && { gateway: formatIp(gateway) }),
  };
}
