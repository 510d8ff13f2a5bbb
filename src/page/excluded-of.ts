import type { Span } from "../address/range.ts";
import type { Block, Territory } from "../map/territory.ts";

/** What the pool excludes where a block lies. */
export function excludedOf({ sections }: Territory, block: Block): readonly Span[] {
  return sections.find(({ blocks }) => blocks.includes(block))?.excluded ?? [];
}
