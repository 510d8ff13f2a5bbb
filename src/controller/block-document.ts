import type { NodeBlock } from "../api/node-block.ts";
import { asServed } from "../move/as-served.ts";
import type { Pool } from "../pool/pool.ts";
import { releaseDelayKey } from "./records.ts";

/** A NodeBlock as it is made: with what has to be known of its pool once that isn't there any more. */
export function documentOf({ releaseDelay }: Pool, draft: NodeBlock, isServed: boolean): object {
  const annotations = { [releaseDelayKey]: String(releaseDelay) };
  const document = { ...draft, metadata: { ...draft.metadata, annotations } };
  return isServed ? asServed(document) : document;
}
