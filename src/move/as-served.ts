import type { NodeBlock } from "../api/node-block.ts";
import { nvIpamGroup, servedLabel } from "../api/nv-ipam.ts";

/** A NodeBlock of one of nv-ipam's pools: a controller that doesn't serve them leaves it alone by its label. */
export function asServed(block: NodeBlock): NodeBlock {
  return { ...block, metadata: { ...block.metadata, labels: { [servedLabel]: nvIpamGroup } } };
}
