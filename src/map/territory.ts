import { type Cidr, contains, firstOf, lastOf, parseCidr } from "../address/cidr.ts";
import { formatIp, type Ip } from "../address/ip.ts";
import { countOf, gatewayOf, givable, isInside, type Range, type Span, spanOf } from "../address/range.ts";
import { type Section, sectionsOf, sectionsWithin } from "./sections.ts";
import { findWithin, indexSpans, type SpanIndex } from "./span-index.ts";

/** Whose an address is: a pod as `namespace/name`, and the node that it runs on. */
export type Holder = { readonly address: Ip; readonly pod: string; readonly node: string };

/** What one range of one node takes of the address space. */
export type Block = {
  readonly node: string;
  readonly range: Range;
  /** `10.1.2.0/24`, or `10.1.2.10-10.1.2.99` where the range is a part of its subnet. */
  readonly text: string;
  readonly span: Span;
  /** What host-local gives out, but for the gateway, which it keeps also where none is written; a pool may have none. */
  readonly given: Span;
  readonly gateway: Ip | undefined;
  /** How many addresses that makes. */
  readonly usable: bigint;
  /** By address. */
  readonly held: Holder[];
  /** Of a pool: what pods may get of it, in order, but for the gateway. */
  readonly forPods?: readonly Span[];
  /** Of a pool, and to be given back: no pod gets an address of it any more. */
  readonly isClosing?: true;
};

/** Blocks that share addresses, directly or through one another. */
export type Conflict = { readonly span: Span; readonly blocks: Block[] };

/** Everything a map shows. Blocks are by address, those of IPv4 first. */
export type Territory = {
  readonly blocks: Block[];
  readonly sections: Section[];
  readonly conflicts: Conflict[];
  /** Addresses in a section that no block has. */
  readonly strays: Holder[];
  /** Nodes whose ranges can't be read, and why. */
  readonly faults: { readonly node: string; readonly words: string }[];
  /** What there is to say of all of it, where that isn't how many blocks of how many nodes. */
  readonly summary?: string;
};

export type NodeWithRanges = { name: string; ranges: Range[] } | { name: string; fault: string };

/**
 * Puts nodes and pods' addresses in their places: into sections for these networks, or else into as few as show them well.
 * Addresses outside of every section are another network's.
 */
export function chart(nodes: NodeWithRanges[], holders: Holder[], networks: Cidr[] = []): Territory {
  const blocks = nodes.flatMap((node) =>
    "ranges" in node ? node.ranges.map((range) => blockOf(node.name, range)) : [],
  );
  const faults = nodes.flatMap((node) => ("fault" in node ? [{ node: node.name, words: node.fault }] : []));
  return { ...chartBlocks(blocks, holders, networks), faults };
}

/** The same of blocks that are made already. */
export function chartBlocks(all: Block[], holders: Holder[], networks: Cidr[]): Territory {
  const blocks = all.toSorted((a, b) => compareSpans(a.span, b.span));
  const sections = networks.length > 0 ? sectionsWithin(blocks, networks) : sectionsOf(blocks);
  const homeless = settle(blocks, holders);
  return {
    blocks,
    sections,
    conflicts: conflictsOf(blocks),
    strays: homeless.filter(({ address }) => sections.some(({ network }) => contains(network, address))),
    faults: [],
  };
}

export function hasExcluded({ sections }: Territory): boolean {
  return sections.some(({ excluded = [] }) => excluded.length > 0);
}

export function hasClosing({ blocks }: { readonly blocks: readonly Block[] }): boolean {
  return blocks.some(({ isClosing }) => isClosing);
}

/** By family, then by first address, then the larger first. */
function compareSpans(a: Span, b: Span): number {
  if (a.first.family !== b.first.family) return a.first.family - b.first.family;
  if (a.first.value !== b.first.value) return a.first.value < b.first.value ? -1 : 1;
  if (a.last.value === b.last.value) return 0;
  return a.last.value > b.last.value ? -1 : 1;
}

export function blockOf(node: string, range: Range): Block {
  const subnet = parseCidr(range.subnet);
  if (!subnet) throw new TypeError(`not a subnet: ${range.subnet}`);
  const given = spanOf(range);
  const gateway = gatewayOf(range);
  const isWhole = range.rangeStart === undefined && range.rangeEnd === undefined;
  return {
    node,
    range,
    text: isWhole ? range.subnet : `${formatIp(given.first)}-${formatIp(given.last)}`,
    span: isWhole ? { first: firstOf(subnet), last: lastOf(subnet) } : given,
    given,
    gateway,
    usable: givable(range),
    held: [],
  };
}

/** A block of a pool: its `range` says it all, but for exclusions and whether it closes. */
export function poolBlockOf(node: string, range: Range, forPods: readonly Span[], isClosing: boolean): Block {
  const block = blockOf(node, range);
  const { gateway } = block;
  const hasGateway = gateway !== undefined && forPods.some((span) => isInside(span, gateway));
  const usable = forPods.reduce((sum, span) => sum + countOf(span), 0n) - (hasGateway ? 1n : 0n);
  return { ...block, given: block.span, usable, forPods, ...(isClosing && { isClosing }) };
}

/** Gives every holder to the block that has its address: its own node's, else the smallest. What is left over has none. */
function settle(blocks: Block[], holders: Holder[]): Holder[] {
  const index = indexSpans(blocks);
  const byNode = Map.groupBy(blocks, ({ node }) => node);
  const strays: Holder[] = [];
  for (const holder of holders) {
    const own = byNode.get(holder.node)?.find(({ span }) => isInside(span, holder.address));
    const home = own ?? findSmallest(index, holder.address);
    if (home) home.held.push(holder);
    else strays.push(holder);
  }
  for (const { held } of blocks) held.sort((a, b) => (a.address.value < b.address.value ? -1 : 1));
  return strays;
}

function findSmallest(index: SpanIndex<Block>, address: Ip): Block | undefined {
  const [first, ...others] = findWithin(index, { first: address, last: address });
  return first && others.reduce(smaller, first);
}

function smaller(a: Block, b: Block): Block {
  return countOf(b.span) < countOf(a.span) ? b : a;
}

/** `blocks` are by address. */
export function conflictsOf(blocks: Block[]): Conflict[] {
  const groups: { span: Span; blocks: Block[] }[] = [];
  for (const block of blocks) {
    const group = groups.at(-1);
    const { first, last } = block.span;
    if (group && group.span.last.family === first.family && group.span.last.value >= first.value) {
      group.blocks.push(block);
      if (last.value > group.span.last.value) group.span = { first: group.span.first, last };
    } else groups.push({ span: block.span, blocks: [block] });
  }
  return groups.filter(({ blocks }) => blocks.length > 1);
}
