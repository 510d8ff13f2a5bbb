import fc from "fast-check";

/** A pool of nv-ipam's in offsets from its network's first address, and what its status records. */
export type NvCase = {
  kind: "IPPool" | "CIDRPool";
  family: 4 | 6;
  bits: number;
  /** Addresses of a block. */
  size: number;
  gateway: number | undefined;
  exclusions: [number, number][];
  perNode: [number, number][];
  statics: { index: number; nodeName: string; gateway: number | undefined }[];
  onlyLabelled: boolean;
  nodes: { name: string; isLabelled: boolean }[];
  recorded: { nodeName: string; index: number }[];
};

export type Allocation = {
  nodeName: string;
  startIP?: string;
  endIP?: string;
  prefix?: string;
  gateway?: string;
};

const names = ["a", "b", "c", "d", "e", "f", "g", "h"];

const pairs = (most: number, maxLength: number) =>
  fc.array(
    fc.tuple(fc.nat(most), fc.nat(most)).map(([a, b]): [number, number] => [Math.min(a, b), Math.max(a, b)]),
    { maxLength },
  );

const bounds = fc
  .record({
    kind: fc.constantFrom("IPPool" as const, "CIDRPool" as const),
    family: fc.constantFrom(4 as const, 6 as const),
    bits: fc.integer({ min: 0, max: 7 }),
  })
  .chain((one) => {
    const usable = usableOf(one.family, 2 ** one.bits);
    const sizes =
      one.kind === "IPPool"
        ? fc.integer({ min: 1, max: usable.length })
        : fc.integer({ min: 0, max: one.bits }).map((bits) => 2 ** bits);
    return sizes.map((size) => ({ ...one, size }));
  });

/** Small ones, so that what is random collides. */
export const nvCases: fc.Arbitrary<NvCase> = bounds.chain(({ kind, family, bits, size }) => {
  const count = countOf({ kind, family, bits, size });
  const gateways = kind === "IPPool" ? fc.nat(2 ** bits - 1) : fc.constantFrom(...usableOf(family, size));
  const statics = fc.uniqueArray(
    fc.record({
      index: fc.nat(Math.max(0, count - 1)),
      nodeName: fc.constantFrom("", ...names),
      gateway: fc.option(fc.nat(size - 1), { nil: undefined }),
    }),
    { selector: ({ index }) => index, maxLength: kind === "CIDRPool" ? 3 : 0 },
  );
  const recorded = fc
    .tuple(
      fc.uniqueArray(fc.constantFrom(...names), { maxLength: 5 }),
      fc.uniqueArray(fc.nat(Math.max(0, count - 1)), { maxLength: count === 0 ? 0 : 5 }),
    )
    .map(([nodes, indexes]) =>
      nodes.flatMap((nodeName, i) => (i < indexes.length ? [{ nodeName, index: indexes[i] as number }] : [])),
    );
  return fc
    .record({
      kind: fc.constant(kind),
      family: fc.constant(family),
      bits: fc.constant(bits),
      size: fc.constant(size),
      gateway: fc.option(gateways, { nil: undefined }),
      exclusions: pairs(2 ** bits - 1, 4),
      perNode: pairs(size - 1, 2),
      statics: statics.map(eachNodeOnce),
      onlyLabelled: fc.boolean(),
      nodes: fc.uniqueArray(fc.record({ name: fc.constantFrom(...names), isLabelled: fc.boolean() }), {
        selector: ({ name }) => name,
      }),
      recorded,
    })
    .map((one) => ({ ...one, recorded: one.recorded.filter((entry) => !contradictsStatics(one, entry)) }));
});

function eachNodeOnce(statics: NvCase["statics"]): NvCase["statics"] {
  return statics.filter(
    ({ nodeName }, i) => nodeName === "" || statics.findIndex((other) => other.nodeName === nodeName) === i,
  );
}

function contradictsStatics({ statics }: NvCase, { nodeName, index }: NvCase["recorded"][number]): boolean {
  return statics.some((one) => (one.index === index) !== (one.nodeName === nodeName));
}

/** A network's addresses that pods can have, from 0. */
function usableOf(family: 4 | 6, size: number): number[] {
  const all = Array.from({ length: size }, (_, i) => i);
  if (size <= 2) return all;
  return family === 4 ? all.slice(1, -1) : all.slice(1);
}

function countOf({ kind, family, bits, size }: Pick<NvCase, "kind" | "family" | "bits" | "size">): number {
  return Math.floor((kind === "CIDRPool" ? 2 ** bits : usableOf(family, 2 ** bits).length) / size);
}

/** Where a block begins. */
export function startOf({ kind, family, bits, size }: NvCase, index: number): number {
  return (kind === "CIDRPool" ? 0 : (usableOf(family, 2 ** bits)[0] as number)) + index * size;
}

function gatewayOf(one: NvCase, index: number): number | undefined {
  if (one.kind === "IPPool") return one.gateway;
  const place = one.statics.find((fixed) => fixed.index === index)?.gateway ?? one.gateway;
  return place === undefined ? undefined : startOf(one, index) + place;
}

/** nv-ipam gives a block unless all of it is excluded; here, unless pods can have none of it: its gateway and each node's exclusions count. */
function podsOf(one: NvCase, index: number): number[] {
  const isIn = (value: number, ranges: [number, number][]) =>
    ranges.some(([a, b]) => value >= a && value <= b);
  const start = startOf(one, index);
  const places =
    one.kind === "CIDRPool" ? usableOf(one.family, one.size) : Array.from({ length: one.size }, (_, i) => i);
  return places
    .filter((place) => !isIn(place, one.perNode))
    .map((place) => start + place)
    .filter((address) => !isIn(address, one.exclusions) && address !== gatewayOf(one, index));
}

/** What the status says in the end: all that it said, whoever it is for, and a block for each Node that is selected and has none for its pods. */
export function allocateByRules(one: NvCase): Allocation[] {
  const taken = new Set(one.recorded.map(({ index }) => index));
  const given = [...one.recorded];
  const selected = one.nodes.filter(({ isLabelled }) => isLabelled || !one.onlyLabelled);
  for (const { name } of selected.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const own = one.recorded.find(({ nodeName }) => nodeName === name);
    if (own && podsOf(one, own.index).length > 0) continue;
    const index = chooseFor(one, name, taken);
    if (index === undefined) continue;
    taken.add(index);
    given.push({ nodeName: name, index });
  }
  return given
    .sort((a, b) => (a.nodeName === b.nodeName ? a.index - b.index : a.nodeName < b.nodeName ? -1 : 1))
    .map(({ nodeName, index }) => describe(one, nodeName, index));
}

function chooseFor(one: NvCase, name: string, taken: Set<number>): number | undefined {
  const isFree = (index: number) => !taken.has(index) && podsOf(one, index).length > 0;
  const own = one.statics.find(({ nodeName }) => nodeName === name);
  if (own) return isFree(own.index) ? own.index : undefined;
  for (let index = 0; index < countOf(one); index++)
    if (isFree(index) && !one.statics.some((fixed) => fixed.index === index)) return index;
  return undefined;
}

/** In the form of the pool's status. */
export function describe(one: NvCase, nodeName: string, index: number): Allocation {
  const start = startOf(one, index);
  if (one.kind === "IPPool")
    return { nodeName, startIP: textOf(one, start), endIP: textOf(one, start + one.size - 1) };
  const gateway = gatewayOf(one, index);
  return {
    nodeName,
    prefix: networkOf(one, start, Math.log2(one.size)),
    ...(gateway !== undefined && { gateway: textOf(one, gateway) }),
  };
}

export function textOf({ family }: Pick<NvCase, "family">, offset: number): string {
  if (family === 4) return `10.0.${offset >> 8}.${offset & 255}`;
  return offset === 0 ? "fd00::" : `fd00::${offset.toString(16)}`;
}

function networkOf(one: NvCase, offset: number, bits: number): string {
  return `${textOf(one, offset)}/${(one.family === 4 ? 32 : 128) - bits}`;
}

const selector = { nodeSelectorTerms: [{ matchExpressions: [{ key: "pool", operator: "Exists" }] }] };

/** As a person would have written it. */
export function specOf(one: NvCase): Record<string, unknown> {
  const { kind, bits, size, gateway, statics } = one;
  const common = {
    exclusions: one.exclusions.map(([a, b]) => ({ startIP: textOf(one, a), endIP: textOf(one, b) })),
    perNodeExclusions: one.perNode.map(([startIndex, endIndex]) => ({ startIndex, endIndex })),
    ...(one.onlyLabelled && { nodeSelector: selector }),
  };
  if (kind === "IPPool")
    return {
      subnet: networkOf(one, 0, bits),
      perNodeBlockSize: size,
      ...(gateway !== undefined && { gateway: textOf(one, gateway) }),
      ...common,
    };
  return {
    cidr: networkOf(one, 0, bits),
    perNodeNetworkPrefix: (one.family === 4 ? 32 : 128) - Math.log2(size),
    ...(gateway !== undefined && { gatewayIndex: gateway }),
    staticAllocations: statics.map(({ index, nodeName, gateway: own }) => ({
      prefix: networkOf(one, startOf(one, index), Math.log2(size)),
      ...(nodeName !== "" && { nodeName }),
      ...(own !== undefined && { gateway: textOf(one, startOf(one, index) + own) }),
    })),
    ...common,
  };
}
