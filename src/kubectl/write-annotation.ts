import { ApiError, isStatus } from "../kube/api-error.ts";
import type { Client } from "../kube/client.ts";
import type { AnnotationChange } from "../survey/annotation-plan.ts";
import type { DryRun } from "./dry-run.ts";
import { asManagerOf } from "./field-manager.ts";

type Found = { metadata: { uid: string; resourceVersion: string; annotations?: Record<string, string> } };

const attempts = 10;

/**
 * Writes one annotation if the Node is as it was seen (compare-and-swap by UID and resourceVersion). Kubelets write to their Nodes, too: where only
 * that happened, it is tried again with the newer Node. Throws an ApiError where somebody changed this annotation meanwhile, or made the Node anew.
 */
export async function writeAnnotation(
  client: Client,
  { node, before, after }: AnnotationChange,
  key: string,
  dryRun: DryRun,
): Promise<void> {
  const path = `/api/v1/nodes/${node.name}`;
  const { uid } = node;
  let { resourceVersion } = node;
  for (let attempt = 1; ; attempt++) {
    try {
      const metadata = { uid, resourceVersion, annotations: { [key]: after ?? null } };
      const query = asManagerOf(dryRun === "server");
      await client.patch(path + query, { metadata }, "merge");
      return;
    } catch (error) {
      if (!isStatus(error, 409) || attempt === attempts) throw error;
    }
    const { metadata } = await client.get<Found>(path);
    if (metadata.uid !== uid)
      throw new ApiError({ reason: "the Node was made anew meanwhile: look at it, and run this again" });
    const found = metadata.annotations?.[key];
    if (found === after) return;
    if (found !== before)
      throw new ApiError({
        reason: `somebody changed ${key} to ${found ?? "nothing"} meanwhile: look at it, and run this again`,
      });
    resourceVersion = metadata.resourceVersion;
  }
}
