import { setBackKey } from "../api/nv-ipam.ts";
import type { PoolEntry } from "./cluster.ts";
import type { ControllerContext } from "./context.ts";
import { patchPool } from "./patch-pool.ts";

/** What the condition SetBack says of our pools, on one of nv-ipam's. */
export async function markSetBack(
  context: ControllerContext,
  { record, setBackAt }: PoolEntry,
): Promise<void> {
  const there = record.served?.annotations[setBackKey];
  if (!record.served || (there === undefined) === (setBackAt === undefined)) return;
  const since = setBackAt === undefined ? null : new Date(setBackAt).toISOString();
  await patchPool(context, record, { metadata: { annotations: { [setBackKey]: since } } });
}
