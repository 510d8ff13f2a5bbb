import { formatCidr, parseCidr } from "../address/cidr.ts";
import { formatIp, parseIp } from "../address/ip.ts";
import type { Range, Span } from "../address/range.ts";
import { type Section, sectionsWithin } from "./sections.ts";
import { type Block, blockOf, conflictsOf, type Holder, poolBlockOf, type Territory } from "./territory.ts";

/** A territory as JSON in which nothing that repeats is written twice: nodes and namespaces by number, addresses from their block on. */
export type Packed = {
  nodes: string[];
  namespaces: string[];
  /** The network, and what is excluded of it. */
  sections: [network: string, ...excluded: PackedSpan[]][];
  /** Node, range (its subnet, where that is all), and for every pod: address less the block's first, namespace, name, and its node if that is another. Of a pool: what pods may get. */
  blocks: [
    node: number,
    range: string | Range,
    held: PackedHolder[],
    forPods?: PackedSpan[],
    closing?: true,
  ][];
  strays: [address: string, pod: string, node: string][];
  faults: [node: string, words: string][];
};

type PackedSpan = [first: string, last: string];
type PackedHolder = [offset: string, namespace: number, name: string, node?: number];

export function pack({ blocks, sections, strays, faults }: Territory): Packed {
  const nodes = numberTexts();
  const namespaces = numberTexts();
  const packHolder = ({ address, pod, node }: Holder, block: Block): PackedHolder => {
    const slash = pod.indexOf("/");
    const offset = (address.value - block.span.first.value).toString(36);
    const known = [offset, namespaces.of(pod.slice(0, slash)), pod.slice(slash + 1)] as const;
    return node === block.node ? [...known] : [...known, nodes.of(node)];
  };
  return {
    blocks: blocks.map((block) => [
      nodes.of(block.node),
      isPlain(block.range) ? block.range.subnet : block.range,
      block.held.map((holder) => packHolder(holder, block)),
      ...packPool(block),
    ]),
    nodes: nodes.texts,
    namespaces: namespaces.texts,
    sections: sections.map(({ network, excluded = [] }) => [formatCidr(network), ...excluded.map(packSpan)]),
    strays: strays.map(({ address, pod, node }) => [formatIp(address), pod, node]),
    faults: faults.map(({ node, words }) => [node, words]),
  };
}

/** What was packed, with the same order of everything. */
export function unpack(packed: Packed): Territory {
  const blocks = packed.blocks.map(([node, written, held, forPods, closing = false]) => {
    const range = typeof written === "string" ? { subnet: written } : written;
    const name = packed.nodes[node] ?? "";
    const block = forPods
      ? poolBlockOf(name, range, forPods.flatMap(unpackSpan), closing)
      : blockOf(name, range);
    const { family, value } = block.span.first;
    for (const [offset, namespace, name, at = node] of held)
      block.held.push({
        address: { family, value: value + parseBase36(offset) },
        pod: `${packed.namespaces[namespace]}/${name}`,
        node: packed.nodes[at] ?? "",
      });
    return block;
  });
  return {
    blocks,
    sections: packed.sections.flatMap((one) => unpackSection(one, blocks)),
    conflicts: conflictsOf(blocks),
    strays: packed.strays.flatMap(([text, pod, node]) => {
      const address = parseIp(text);
      return address ? [{ address, pod, node }] : [];
    }),
    faults: packed.faults.map(([node, words]) => ({ node, words })),
  };
}

function isPlain({ rangeStart, rangeEnd, gateway, pool }: Range): boolean {
  return rangeStart === undefined && rangeEnd === undefined && gateway === undefined && pool === undefined;
}

function packPool({ forPods, isClosing }: Block): [] | [PackedSpan[]] | [PackedSpan[], true] {
  if (!forPods) return [];
  return isClosing ? [forPods.map(packSpan), true] : [forPods.map(packSpan)];
}

function packSpan({ first, last }: Span): PackedSpan {
  return [formatIp(first), formatIp(last)];
}

function unpackSpan([start, end]: PackedSpan): Span[] {
  const [first, last] = [parseIp(start), parseIp(end)];
  return first && last ? [{ first, last }] : [];
}

function unpackSection([text, ...spans]: Packed["sections"][number], blocks: Block[]): Section[] {
  const network = parseCidr(text);
  if (!network) return [];
  const excluded = spans.flatMap(unpackSpan);
  return sectionsWithin(blocks, [network]).map((section) =>
    excluded.length > 0 ? { ...section, excluded } : section,
  );
}

function parseBase36(text: string): bigint {
  return [...text].reduce((value, digit) => value * 36n + BigInt(Number.parseInt(digit, 36)), 0n);
}

/** Gives every text a number, the same again for the same. */
function numberTexts(): { texts: string[]; of(text: string): number } {
  const texts: string[] = [];
  const numbers = new Map<string, number>();
  return {
    texts,
    of(text) {
      const number = numbers.get(text) ?? texts.push(text) - 1;
      numbers.set(text, number);
      return number;
    },
  };
}
