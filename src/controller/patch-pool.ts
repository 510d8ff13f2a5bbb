import type { ControllerContext } from "./context.ts";
import { type PoolRecord, readPoolRecord } from "./records.ts";
import { lookAtPool, pathOfPool } from "./resources.ts";

/** Refused where the pool is another one by now, or somebody wrote it meanwhile: then it is looked at anew. The pool after it. */
export async function patchPool(
  context: ControllerContext,
  record: PoolRecord,
  change: { metadata?: object; status?: object },
  subresource: "" | "/status" = "",
): Promise<PoolRecord> {
  const { client, cluster, metrics } = context;
  const body = {
    ...change,
    metadata: { ...change.metadata, uid: record.uid, resourceVersion: record.version },
  };
  try {
    const answer = await client.patch(`${pathOfPool(record)}${subresource}`, body, "merge");
    const after = readPoolRecord(record.kind, answer);
    if (after) cluster.putPool(after);
    metrics.writes.inc({ what: "pool" });
    return after ?? record;
  } catch (error) {
    await lookAtPool(context, record);
    throw error;
  }
}
