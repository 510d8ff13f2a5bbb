import { setTimeout as sleep } from "node:timers/promises";
import type { PoolKind } from "../../../src/api/pool-kind.ts";
import { ApiError } from "../../../src/kube/api-error.ts";
import type { Client } from "../../../src/kube/client.ts";
import { holdNvIpamLease, nvIpamPath } from "../../parts/nv-ipam-resources.ts";
import type { NvAllocation, NvObject } from "./worked-examples.ts";

/** A pool whose blocks are numbered: what an allocation of each looks like. */
export type NumberedPool = {
  kind: PoolKind;
  name: string;
  spec: object;
  allocation(nodeName: string, index: number): NvAllocation;
};

/** The first block that no allocation says, for each Node that has none; in the order of names. */
export function allocateFirstFit(
  pool: NumberedPool,
  before: readonly NvAllocation[],
  nodes: readonly string[],
): NvAllocation[] {
  const placeOf = ({ startIP, prefix }: NvAllocation) => startIP ?? prefix;
  const all = [...before];
  for (const name of nodes.toSorted()) {
    if (all.some(({ nodeName }) => nodeName === name)) continue;
    const taken = new Set(all.map(placeOf));
    let index = 0;
    while (taken.has(placeOf(pool.allocation(name, index)))) index++;
    all.push(pool.allocation(name, index));
  }
  return all.sort((a, b) => (a.nodeName < b.nodeName ? -1 : 1));
}

/** What nv-ipam's controller does while it leads: it takes its Lease, waits for `settleMs`, gives what is to be given, and ends. */
export async function leadOnce(
  client: Client,
  pools: readonly NumberedPool[],
  settleMs: number,
  during: () => Promise<void>,
): Promise<void> {
  await holdNvIpamLease(client, "old", { seconds: 60 });
  await sleep(settleMs);
  await during();
  const nodes = await client.list(
    "/api/v1/nodes",
    (item) => (item as { metadata: { name: string } }).metadata.name,
  );
  for (const pool of pools) await giveAll(client, pool, nodes);
  await holdNvIpamLease(client, "");
}

async function giveAll(client: Client, pool: NumberedPool, nodes: string[]): Promise<void> {
  const path = nvIpamPath(pool.kind, pool.name);
  for (;;) {
    const { metadata, status } = await client.get<NvObject>(path);
    const allocations = allocateFirstFit(pool, status?.allocations ?? [], nodes);
    const body = { metadata: { resourceVersion: metadata.resourceVersion }, status: { allocations } };
    try {
      await client.patch(`${path}/status?fieldManager=ipam-controller`, body, "merge");
      return;
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 409) throw error;
    }
  }
}
