import { bitsOf, formatIp } from "../address/ip.ts";
import { countOf, type Span } from "../address/range.ts";
import { count, formatCount, formatShare } from "./numbers.ts";
import type { Section } from "./sections.ts";
import type { Block } from "./territory.ts";
import { type Scale, useOf } from "./use.ts";

/** `12 of 253 addresses used (5 %)`, or without a share where that would always be nothing. */
export function describeUse(blocks: readonly Block[], scale: Scale): string {
  const { held, usable } = useOf(blocks);
  if (scale.of === "most") return `${count(held, "address", "addresses")} used`;
  return `${formatCount(held)} of ${count(usable, "address", "addresses")} used (${formatShare(held, usable)})`;
}

/** `100 nodes, 12 of …`, and what shades mean where that isn't a share of what there is. */
export function describeSection({ blocks }: Section, scale: Scale): string {
  const most = scale.of === "most" ? `, shaded by the most in a block: ${formatCount(scale.most)}` : "";
  return `${countNodes(blocks)}, ${describeUse(blocks, scale)}${most}`;
}

export function countNodes(blocks: readonly Block[]): string {
  return count(new Set(blocks.map(({ node }) => node)).size, "node");
}

/** `/24`, or a number of addresses that is none of a network's. */
export function describeSize(family: 4 | 6, size: bigint): string {
  const bits = size.toString(2).length - 1;
  return size === 1n << BigInt(bits) ? `/${bitsOf(family) - bits}` : count(size, "address", "addresses");
}

/** What a block is called by, with a word where it closes. */
export function noteClosing(name: string, { isClosing }: Pick<Block, "isClosing">): string {
  return isClosing ? `${name} (closing)` : name;
}

/** `node-1 10.1.2.0/24`, the first few of several. */
export function listBlocks(blocks: readonly Block[]): string {
  const named = blocks.slice(0, 3).map((block) => noteClosing(`${block.node} ${block.text}`, block));
  const more = blocks.length - named.length;
  return `${named.join(", ")}${more > 0 ? ` and ${formatCount(more)} more` : ""}`;
}

export function describeSpan({ first, last }: Span): string {
  return first.value === last.value ? formatIp(first) : `${formatIp(first)} – ${formatIp(last)}`;
}

/** `40 × /24 free`: an empty span in networks of a size. */
export function describeGap(span: Span, size: bigint): string {
  return `${formatCount(countOf(span) / size)} × ${describeSize(span.first.family, size)} free`;
}
