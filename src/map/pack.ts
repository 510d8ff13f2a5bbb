import { formatCidr, parseCidr } from "../address/cidr.ts";
import { formatIp, parseIp } from "../address/ip.ts";
import type { Range } from "../address/range.ts";
import { sectionsWithin } from "./sections.ts";
import { type Block, blockOf, conflictsOf, type Holder, type Territory } from "./territory.ts";

/** A territory as JSON in which nothing that repeats is written twice: nodes and namespaces by number, addresses from their block on. */
export type Packed = {
  nodes: string[];
  namespaces: string[];
  sections: string[];
  /** Node, range (its subnet, where that is all), and for every pod: address less the block's first, namespace, name, and its node if that is another. */
  blocks: [node: number, range: string | Range, held: PackedHolder[]][];
  strays: [address: string, pod: string, node: string][];
  faults: [node: string, words: string][];
};

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
    ]),
    nodes: nodes.texts,
    namespaces: namespaces.texts,
    sections: sections.map(({ network }) => formatCidr(network)),
    strays: strays.map(({ address, pod, node }) => [formatIp(address), pod, node]),
    faults: faults.map(({ node, words }) => [node, words]),
  };
}

/** What was packed, with the same order of everything. */
export function unpack(packed: Packed): Territory {
  const blocks = packed.blocks.map(([node, range, held]) => {
    const block = blockOf(packed.nodes[node] ?? "", typeof range === "string" ? { subnet: range } : range);
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
    sections: sectionsWithin(
      blocks,
      packed.sections.flatMap((text) => parseCidr(text) ?? []),
    ),
    conflicts: conflictsOf(blocks),
    strays: packed.strays.flatMap(([text, pod, node]) => {
      const address = parseIp(text);
      return address ? [{ address, pod, node }] : [];
    }),
    faults: packed.faults.map(([node, words]) => ({ node, words })),
  };
}

function isPlain({ rangeStart, rangeEnd, gateway }: Range): boolean {
  return rangeStart === undefined && rangeEnd === undefined && gateway === undefined;
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
