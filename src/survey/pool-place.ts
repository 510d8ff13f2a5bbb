import { contains } from "../address/cidr.ts";
import { formatIp, type Ip } from "../address/ip.ts";
import { isInside } from "../address/range.ts";
import { isIn } from "../address/runs.ts";
import { runOfBlocks } from "../pool/grid.ts";
import type { Pool } from "../pool/pool.ts";
import type { BlockView, PoolView } from "./pool-view.ts";

/** Where an address lies in a pool. `kept`: why no pod gets it. */
export type PoolPlace = {
  pool: string;
  block?: { name: string; first: string; last: string; node: string; closing?: true };
  kept?: "excluded" | "excluded on every node" | "gateway" | "outside of every block";
};

/** Undefined where it lies in none of its addresses. */
export function findPlace(view: PoolView, ip: Ip): PoolPlace | undefined {
  const block = view.blocks.find(({ span }) => isInside(span, ip));
  const isOwn = view.plan !== undefined && contains(view.plan.network, ip);
  if (!block && !isOwn) return undefined;
  const kept = view.plan && whyKept(view.plan.pool, block, ip);
  return { pool: view.label, ...(block && { block: describeBlock(block) }), ...(kept && { kept }) };
}

function describeBlock({ name, node, span, closing }: BlockView): NonNullable<PoolPlace["block"]> {
  const ends = { first: formatIp(span.first), last: formatIp(span.last) };
  return { name, ...ends, node, ...(closing && { closing }) };
}

function whyKept(pool: Pool, block: BlockView | undefined, ip: Ip): PoolPlace["kept"] {
  if (isIn(pool.excluded, ip.value)) return "excluded";
  if (isGateway(pool, block, ip)) return "gateway";
  if (!runOfBlocks(pool.grid, { first: ip, last: ip })) return "outside of every block";
  const offset = (ip.value - pool.grid.first) % pool.grid.size;
  return isIn(pool.usable, offset) ? undefined : "excluded on every node";
}

function isGateway({ gateway }: Pool, block: BlockView | undefined, ip: Ip): boolean {
  if (block?.gateway?.value === ip.value) return true;
  return gateway.at === "address" && gateway.ip.value === ip.value;
}

/** A sentence: whose it is in the pool, and why no pod gets it. */
export function describePlace({ pool, block, kept }: PoolPlace, address: string): string {
  const whose = block
    ? `${pool}: block ${block.name}, ${block.first}-${block.last}, is ${block.node}'s${block.closing ? ", and closing" : ""}`
    : `${pool}: in no block that a node has`;
  return kept === undefined ? whose : `${whose}; ${describeKept(kept, pool, address)}`;
}

function describeKept(kept: NonNullable<PoolPlace["kept"]>, pool: string, address: string): string {
  switch (kept) {
    case "excluded":
      return `${address} is excluded from ${pool}`;
    case "excluded on every node":
      return `${address} is at a place that ${pool} keeps back in each block`;
    case "gateway":
      return `${address} is the gateway`;
    case "outside of every block":
      return `${address} lies before or behind ${pool}'s blocks, and is never given`;
  }
}
