import { contains } from "../address/cidr.ts";
import { formatIp, type Ip, parseIp } from "../address/ip.ts";
import { isInside } from "../address/range.ts";
import { findWithin, indexSpans, type SpanIndex } from "../map/span-index.ts";
import type { Block, Holder, Territory } from "../map/territory.ts";
import { noteClosing } from "../map/words.ts";
import { excludedOf } from "./excluded-of.ts";
import { reasonToKeep } from "./reason-to-keep.ts";

/** Something that a search found, and where it is. */
export type Find = {
  readonly kind: "node" | "pod" | "address";
  readonly name: string;
  readonly note: string;
  /** None where an address is in no node's block. */
  readonly block?: Block;
  readonly address?: Ip;
};

/** `finds` are the first few; `blocks` are all that have to do with what was typed. */
export type Found = { readonly finds: Find[]; readonly count: number; readonly blocks: ReadonlySet<Block> };

type Entry = { readonly text: string; readonly block: Block; readonly holder: Holder };

/** Searches nodes' names, ranges, pods (`namespace/name`) and addresses, whole or the beginning of one. */
export function createFinder(territory: Territory): (query: string, most: number) => Found {
  const { blocks } = territory;
  const index = indexSpans(blocks);
  const pods: Entry[] = blocks.flatMap((block) =>
    block.held.map((holder) => ({ text: holder.pod.toLowerCase(), block, holder })),
  );
  return (query, most) => {
    const words = query.trim().toLowerCase();
    if (words === "") return { finds: [], count: 0, blocks: new Set() };
    const ip = parseIp(words);
    const all = ip
      ? findAddress(territory, index, ip)
      : [...findBlocks(blocks, words), ...findPods(pods, words)];
    return {
      finds: all.slice(0, most),
      count: all.length,
      blocks: new Set(all.flatMap(({ block }) => block ?? [])),
    };
  };
}

function findAddress(territory: Territory, index: SpanIndex<Block>, address: Ip): Find[] {
  const blocks = findWithin(index, { first: address, last: address });
  if (blocks.length === 0) return findOutside(territory, address);
  return blocks.map((block) => {
    const pods = block.held.filter((holder) => holder.address.value === address.value).map(({ pod }) => pod);
    const state = reasonToKeep(block, address, excludedOf(territory, block)) ?? "free";
    const note = `${pods.length > 0 ? pods.join(", ") : state} · ${noteClosing(block.node, block)}`;
    return { kind: "address", name: formatIp(address), note, block, address };
  });
}

/** An address that the map shows, though no node has it. */
function findOutside({ sections, strays }: Territory, address: Ip): Find[] {
  const section = sections.find(({ network }) => contains(network, address));
  if (!section) return [];
  const isExcluded = section.excluded?.some((span) => isInside(span, address)) ?? false;
  const pods = strays.filter((stray) => isSameIp(stray.address, address)).map(({ pod }) => pod);
  const state = pods.length > 0 ? pods.join(", ") : isExcluded ? "excluded" : "free";
  return [{ kind: "address", name: formatIp(address), note: `${state} · in no node's block`, address }];
}

function isSameIp(a: Ip, b: Ip): boolean {
  return a.family === b.family && a.value === b.value;
}

/** Names that begin so before those that have it somewhere. */
function findBlocks(blocks: readonly Block[], words: string): Find[] {
  const rank = ({ node, text }: Block): number => {
    const name = node.toLowerCase();
    if (name === words) return 0;
    if (name.startsWith(words)) return 1;
    return name.includes(words) || text.startsWith(words) ? 2 : 3;
  };
  return blocks
    .map((block) => ({ block, rank: rank(block) }))
    .filter(({ rank }) => rank < 3)
    .sort((a, b) => a.rank - b.rank)
    .map(({ block }) => ({
      kind: "node",
      name: block.node,
      note: noteClosing(block.text, block),
      block,
    }));
}

function findPods(pods: readonly Entry[], words: string): Find[] {
  return pods
    .filter(({ text }) => text.includes(words))
    .map(({ block, holder }) => ({
      kind: "pod",
      name: holder.pod,
      note: `${formatIp(holder.address)} · ${noteClosing(block.node, block)}`,
      block,
      address: holder.address,
    }));
}
