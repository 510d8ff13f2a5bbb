import type { PoolNode } from "../../src/pool/pool.ts";
import { addressesOf, type Recorded, type Shape } from "./pool-shapes.ts";

/** What a plan comes to, in words that two planners can be compared by. */
export type Told = {
  create: string[];
  close: string[];
  orphans: number[];
  unplaced: string[];
  doubtful: string[];
  total: number;
  free: number;
  addresses: number;
};

/** The planner as one would write it first: it looks at every address of every block, each time. */
export function planNaively(shape: Shape, family: 4 | 6, nodes: PoolNode[], recorded: Recorded[]): Told {
  const told: Told = {
    create: [],
    close: [],
    orphans: [],
    unplaced: [],
    doubtful: [],
    total: 0,
    free: 0,
    addresses: 0,
  };
  const count = countBlocks(shape, family);
  const grid = Array.from({ length: count }, (_, index) => index);
  const atGrid = (index: number) => addressesOf(shape, { index, at: undefined } as Recorded);
  const podsOf = (index: number, at: [number, number]) => podAddresses(shape, family, index, at).length;
  const staticOf = (index: number) => shape.statics.find((one) => one.index === index);
  const isSelected = ({ labels }: PoolNode) => !shape.onlyLabelled || labels["pool"] === "yes";

  const taken = new Set(recorded.map(({ index }) => index));
  for (const one of recorded)
    for (const index of grid) if (meet(addressesOf(shape, one), atGrid(index))) taken.add(index);
  const givable = grid.filter((index) => podsOf(index, atGrid(index)) > 0);
  const countable = givable.filter((index) => !staticOf(index) || staticOf(index)?.nodeName !== undefined);

  const served = new Set<string>();
  for (const one of recorded.toSorted((a, b) => a.index - b.index)) {
    const node = nodes.find(({ name }) => name === one.nodeName);
    if (!node) told.orphans.push(one.index);
    if (!node || one.closing) continue;
    const serves = podsOf(one.index, addressesOf(shape, one)) > 0;
    const [own, elsewhere] = [
      staticOf(one.index),
      shape.statics.find(({ nodeName }) => nodeName === one.nodeName),
    ];
    const isStray = String(addressesOf(shape, one)) !== String(atGrid(one.index));
    const close = first([
      [!one.samePool, "pool gone"],
      [!one.sameUID, "node replaced"],
      [!isSelected(node), "node unselected"],
      [serves && served.has(node.name), "one too many"],
    ]);
    const doubt = first([
      [isStray, "off the grid"],
      [one.index >= count, "outside"],
      [own !== undefined && own.nodeName !== one.nodeName, "kept for another"],
      [elsewhere !== undefined && elsewhere.index !== one.index, "static elsewhere"],
      [!serves, "no address left"],
    ]);
    if (close) told.close.push(`${one.index} ${close}`);
    else if (doubt) told.doubtful.push(`${one.index} ${doubt}`);
    if (serves && !close) served.add(node.name);
  }
  for (const node of nodes.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (served.has(node.name) || !isSelected(node)) continue;
    const own = shape.statics.find(({ nodeName }) => nodeName === node.name);
    const index = own ? own.index : givable.find((one) => !taken.has(one) && !staticOf(one));
    if (index === undefined) told.unplaced.push(`${node.name} none free`);
    else if (!givable.includes(index)) told.unplaced.push(`${node.name} static unusable`);
    else if (taken.has(index)) told.unplaced.push(`${node.name} static taken`);
    else {
      told.create.push(`${index} ${node.name}`);
      taken.add(index);
    }
  }
  const byNode = (one: string) =>
    [recorded.find(({ index }) => one.startsWith(`${index} `))?.nodeName, one] as const;
  told.close = sortByNode(told.close.map(byNode));
  told.doubtful = sortByNode(told.doubtful.map(byNode));
  told.total = countable.length;
  told.free = countable.filter((index) => !taken.has(index)).length;
  told.addresses = countable.reduce((sum, index) => sum + podsOf(index, atGrid(index)), 0);
  return told;
}

/** In order of nodes' names; those of a node stay as they are. */
function sortByNode(all: (readonly [string | undefined, string])[]): string[] {
  return all.toSorted(([a = ""], [b = ""]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, words]) => words);
}

/** The words of the first that is true. */
function first(cases: [boolean, string][]): string | undefined {
  return cases.find(([isTrue]) => isTrue)?.[1];
}

function meet([a, countA]: [number, number], [b, countB]: [number, number]): boolean {
  return a < b + countB && b < a + countA;
}

function countBlocks({ kind, bits, blockBits, size }: Shape, family: 4 | 6): number {
  if (kind === "CIDRPool") return 2 ** (bits - blockBits);
  return Math.floor((bits < 2 ? 2 ** bits : 2 ** bits - (family === 4 ? 2 : 1)) / size);
}

/** One by one; the gateway's isn't a pod's. */
export function podAddresses(
  shape: Shape,
  family: 4 | 6,
  index: number,
  [first, count]: [number, number],
  withGateway = false,
): number[] {
  const { kind, bits, exclusions, perNode, reserved } = shape;
  const isIn = (value: number, ranges: [number, number][]) =>
    ranges.some(([a, b]) => value >= a && value <= b);
  const flat = kind === "IPPool";
  const ends = (size: number): [number, number] =>
    size <= 2 ? [0, size - 1] : [1, family === 4 ? size - 2 : size - 1];
  const [from, to] = flat ? [0, count - 1] : ends(count);
  const [low, high] = flat ? ends(2 ** bits) : [0, 2 ** bits - 1];
  const own = shape.statics.find((one) => one.index === index)?.gateway;
  const onGrid = String(addressesOf(shape, { index, at: undefined } as Recorded)) === String([first, count]);
  const place = (onGrid ? own : undefined) ?? (flat ? undefined : shape.gateway);
  const gateway = flat ? shape.gateway : place === undefined || place >= count ? undefined : first + place;
  return Array.from({ length: count }, (_, at) => at)
    .filter((at) => at >= from + reserved[0] && at <= to - reserved[1] && !isIn(at, perNode))
    .map((at) => first + at)
    .filter((address) => address >= low && address <= high && !isIn(address, exclusions))
    .filter((address) => withGateway || address !== gateway);
}
