import { nvPoolPath } from "../api/nv-ipam.ts";
import { type PoolReference, poolPath } from "../api/pool-names.ts";
import { rebuiltKey, setBackTime } from "../api/set-back.ts";
import { ApiError } from "../kube/api-error.ts";
import { eachAtOnce } from "../kube/at-once.ts";
import type { Client } from "../kube/client.ts";
import type { PoolObject } from "../survey/pool-objects.ts";
import { asManagerOf } from "./field-manager.ts";
import type { RebuildOutcome } from "./rebuild-write.ts";

const width = 4;

/** `ippool/a`. */
export function wordOfPool({ kind, name }: PoolReference): string {
  return `${kind.toLowerCase()}/${name}`;
}

/**
 * Says of pools that everything lost is rebuilt, as it was at `readAt` (milliseconds since 1970), when reading it began: what the controller
 * misses later is not forgiven by that. A clock of ours that is behind the controller's doesn't count.
 */
export async function markRebuilt(
  client: Client,
  pools: PoolObject[],
  readAt: number,
  isDryRun: boolean,
): Promise<Map<string, RebuildOutcome>> {
  const outcomes = await eachAtOnce(pools, width, (pool) => mark(client, pool, readAt, isDryRun));
  return new Map(pools.map((pool, at) => [wordOfPool(pool), outcomes[at] as RebuildOutcome]));
}

async function mark(
  client: Client,
  { kind, name, namespace, uid, status }: PoolObject,
  readAt: number,
  isDryRun: boolean,
): Promise<RebuildOutcome> {
  const time = new Date(Math.max(readAt, setBackTime(status) ?? 0)).toISOString();
  const query = asManagerOf(isDryRun);
  const path =
    (namespace === undefined ? poolPath(kind, name) : nvPoolPath(kind, { namespace, name })) + query;
  try {
    await client.patch(path, { metadata: { uid, annotations: { [rebuiltKey]: time } } }, "merge");
    return { state: "made", words: "" };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { state: "failed", words: error.message };
  }
}
