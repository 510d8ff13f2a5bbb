import { type Cidr, formatCidr } from "../address/cidr.ts";
import { bitsOf, formatIp, type Ip } from "../address/ip.ts";
import type { Span } from "../address/range.ts";
import { gaps, mergeRuns, type Run } from "../address/runs.ts";
import type { PoolAnnotation, PoolAnnotationBlock } from "../api/pool-annotation.ts";
import type { Block } from "./block.ts";
import { gatewayOfBlock, usableIn } from "./block-addresses.ts";
import { byIndex } from "./judge-node.ts";
import type { Pool } from "./pool.ts";

/**
 * What the Node's annotation says of its blocks of a pool. A block of an earlier Node of that name is shown closing. Left out is a block whose
 * addresses make no network of the pool's; one without any address left is there, with no ranges.
 */
export function projectBlocks(pool: Pool, nodeUID: string, blocks: readonly Block[]): PoolAnnotation {
  const projected: PoolAnnotationBlock[] = [];
  let shown: Run[] = [];
  for (const block of blocks.toSorted(byIndex)) {
    const subnet = block.span && subnetOf(pool, block.span);
    if (!block.span || !subnet) continue;
    // An address stands in one block only: of strays, two may have it.
    const usable = usableIn(pool, block.span).flatMap((run) => gaps(run, shown));
    shown = mergeRuns([...shown, ...usable]);
    const start = startOf(pool, block.span, subnet);
    projected.push({
      ...showBlock(pool, block, formatCidr(subnet), usable, nodeUID),
      ...(usable[0] && usable[0].first !== start.value && { first: formatIp(start) }),
    });
  }
  return {
    version: 1,
    nodeUID,
    holdsFor: Math.min(pool.holdsFor, ...blocks.map(({ holdsFor }) => holdsFor ?? pool.holdsFor)),
    blocks: projected,
    ...(pool.routes.length > 0 && { routes: pool.routes.map(({ dst }) => ({ dst })) }),
    ...(pool.defaultGateway && { defaultGateway: true }),
  };
}

function showBlock(
  pool: Pool,
  block: Block,
  subnet: string,
  usable: Run[],
  nodeUID: string,
): PoolAnnotationBlock {
  const gateway = gatewayOfBlock(pool, block);
  const text = (value: bigint) => formatIp({ family: pool.grid.family, value });
  return {
    name: block.name,
    subnet,
    ranges: usable.map(({ first, last }) => `${text(first)}-${text(last)}`),
    ...(gateway && { gateway: formatIp(gateway) }),
    ...((block.closing || block.nodeUID !== nodeUID) && { closing: true }),
  };
}

/** From where a pod counts that asks for an address by its index: in a network of its own, past the network's address. */
function startOf({ kind }: Pool, { first }: Span, { ip, prefix }: Cidr): Ip {
  const isTiny = bitsOf(ip.family) - prefix < 2;
  return kind === "IPPool" || isTiny ? first : { ...first, value: first.value + 1n };
}

/** The network whose mask pods get: a block is a network of its own in a CIDRPool. */
function subnetOf({ kind, network, grid }: Pool, { first, last }: Span): Cidr | undefined {
  if (first.family !== grid.family) return undefined;
  return kind === "IPPool" ? network : wholeNetwork(first, last.value - first.value + 1n);
}

function wholeNetwork(ip: Ip, size: bigint): Cidr | undefined {
  const digits = size.toString(2);
  if (!/^10*$/.test(digits) || ip.value % size !== 0n) return undefined;
  return { ip, prefix: bitsOf(ip.family) - (digits.length - 1) };
}
