import type { NodeBlock } from "../api/node-block.ts";
import { nvIpamGroup, servedLabel } from "../api/nv-ipam.ts";
import type { Pool } from "../pool/pool.ts";
import { releaseDelayKey } from "./records.ts";

/** A NodeBlock as it is made: with what has to be known of its pool once that isn't there any more. */
export function documentOf({ releaseDelay }: Pool, draft: NodeBlock, isServed: boolean): object {
  const annotations = { [releaseDelayKey]: String(releaseDelay) };
  const labels = isServed ? { labels: { [servedLabel]: nvIpamGroup } } : {};
  return { ...draft, metadata: { ...draft.metadata, annotations, ...labels } };
}
