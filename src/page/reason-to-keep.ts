import type { Ip } from "../address/ip.ts";
import { isInside, type Span } from "../address/range.ts";
import type { Block } from "../map/territory.ts";

/** Why no pod is given this address of a block, in a word or two; undefined where pods may get it. `excluded`: by the pool. */
export function reasonToKeep(block: Block, address: Ip, excluded: readonly Span[]): string | undefined {
  const { given, gateway, span, forPods, range } = block;
  if (address.value === gateway?.value) return "gateway";
  const isOut = (spans: readonly Span[]) => !spans.some((one) => isInside(one, address));
  if (!isOut(forPods ?? [given])) return undefined;
  if (!isOut(excluded)) return "excluded";
  if (forPods && range.rangeStart !== undefined) return "kept back";
  if (address.value === span.first.value) return "network";
  if (address.family === 4 && address.value === span.last.value) return "broadcast";
  return "kept back";
}
