import { type Cidr, firstOf, lastOf } from "../address/cidr.ts";
import { bitsOf } from "../address/ip.ts";
import type { Span } from "../address/range.ts";
import type { Run } from "../address/runs.ts";

/** A network that is cut into blocks of one size, `perNode` being the blocks' prefix length. Blocks are numbered from 0. */
export type Grid = { readonly network: Cidr; readonly perNode: number };

/** How many blocks the network has room for. */
export function countBlocks({ network, perNode }: Grid): bigint {
  return 1n << BigInt(perNode - network.prefix);
}

export function blockAt(grid: Grid, index: bigint): Cidr {
  const { family, value } = firstOf(grid.network);
  return { ip: { family, value: value + index * sizeOfBlock(grid) }, prefix: grid.perNode };
}

/** The blocks that a span touches; undefined where it lies outside. */
export function runOf(grid: Grid, span: Span): Run | undefined {
  const [first, last] = [firstOf(grid.network), lastOf(grid.network)];
  if (span.first.family !== first.family) return undefined;
  if (span.last.value < first.value || span.first.value > last.value) return undefined;
  const indexOf = (value: bigint) => (value - first.value) / sizeOfBlock(grid);
  return {
    first: span.first.value < first.value ? 0n : indexOf(span.first.value),
    last: span.last.value > last.value ? countBlocks(grid) - 1n : indexOf(span.last.value),
  };
}

/** Whether the network is one of the grid's blocks. */
export function isBlock(grid: Grid, { ip, prefix }: Cidr): boolean {
  const [first, last] = [firstOf(grid.network), lastOf(grid.network)];
  if (prefix !== grid.perNode || ip.family !== first.family) return false;
  return (
    ip.value >= first.value && ip.value <= last.value && (ip.value - first.value) % sizeOfBlock(grid) === 0n
  );
}

function sizeOfBlock({ network, perNode }: Grid): bigint {
  return 1n << BigInt(bitsOf(network.ip.family) - perNode);
}
