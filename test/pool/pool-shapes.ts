import fc from "fast-check";
import { formatCidr } from "../../src/address/cidr.ts";
import { bitsOf, formatIp } from "../../src/address/ip.ts";
import type { Block } from "../../src/pool/block.ts";
import type { Pool, PoolNode } from "../../src/pool/pool.ts";
import { readPool } from "../../src/pool/read-pool.ts";
import type { JsonObject } from "../../src/text/json.ts";

/** A pool without a family: all addresses are counted from its network's first. */
export type Shape = {
  kind: "IPPool" | "CIDRPool";
  /** The network has 2^bits addresses, a CIDRPool's block 2^blockBits, an IPPool's `size`. */
  bits: number;
  blockBits: number;
  size: number;
  gateway: number | undefined;
  exclusions: [number, number][];
  perNode: [number, number][];
  reserved: [first: number, last: number];
  statics: { index: number; nodeName: string | undefined; gateway: number | undefined }[];
  onlyLabelled: boolean;
};

/** A NodeBlock without a family. `at` is where its addresses begin where they aren't those of its index. */
export type Recorded = {
  index: number;
  nodeName: string;
  sameUID: boolean;
  samePool: boolean;
  closing: boolean;
  at: [first: number, count: number] | undefined;
};

const names = ["a", "b", "c", "d", "e", "f", "g", "h"];
const upTo = (most: number) => fc.nat(Math.max(0, most));
const pairs = (most: number, maxLength: number) =>
  fc.array(
    fc.tuple(upTo(most), upTo(most)).map(([a, b]): [number, number] => [Math.min(a, b), Math.max(a, b)]),
    { maxLength },
  );

/** Small ones, so that what is random collides. */
export const shapes: fc.Arbitrary<Shape> = fc
  .record({
    kind: fc.constantFrom("IPPool" as const, "CIDRPool" as const),
    bits: fc.integer({ min: 0, max: 6 }),
  })
  .chain(({ kind, bits }) =>
    fc
      .record({
        blockBits: fc.integer({ min: 0, max: bits }),
        size: fc.integer({ min: 1, max: Math.max(1, 2 ** bits - 2) }),
      })
      .chain(({ blockBits, size }) => {
        const most = (kind === "IPPool" ? size : 2 ** blockBits) - 1;
        return fc.record({
          kind: fc.constant(kind),
          bits: fc.constant(bits),
          blockBits: fc.constant(blockBits),
          size: fc.constant(size),
          gateway: fc.option(kind === "IPPool" ? upTo(2 ** bits - 1) : upTo(most), { nil: undefined }),
          exclusions: pairs(2 ** bits - 1, 4),
          perNode: pairs(most, 2).map((all) => all.filter(([from, to]) => to - from < 4)),
          reserved: fc.tuple(fc.nat(1), fc.nat(1)),
          statics: kind === "IPPool" ? fc.constant([]) : staticsOf(2 ** (bits - blockBits), most),
          onlyLabelled: fc.boolean(),
        });
      }),
  );

function staticsOf(count: number, most: number): fc.Arbitrary<Shape["statics"]> {
  const one = fc.record({
    index: upTo(count - 1),
    nodeName: fc.option(fc.constantFrom(...names), { nil: undefined }),
    gateway: fc.option(upTo(most), { nil: undefined }),
  });
  return fc
    .uniqueArray(one, { selector: ({ index }) => index, maxLength: 3 })
    .map((all) =>
      all.filter(
        ({ nodeName }, i) =>
          nodeName === undefined || all.findIndex((other) => other.nodeName === nodeName) === i,
      ),
    );
}

export const nodeLists: fc.Arbitrary<PoolNode[]> = fc.uniqueArray(
  fc
    .record({ name: fc.constantFrom(...names), isLabelled: fc.boolean() })
    .map(({ name, isLabelled }) => ({ name, uid: `${name}-1`, labels: isLabelled ? { pool: "yes" } : {} })),
  { selector: ({ name }) => name },
);

/** At most one for an index, as names allow. */
export const recordings: fc.Arbitrary<Recorded[]> = fc.uniqueArray(
  fc.record({
    index: fc.nat(20),
    nodeName: fc.constantFrom(...names),
    sameUID: fc.boolean(),
    samePool: fc.integer({ min: 0, max: 4 }).map((dice) => dice > 0),
    closing: fc.integer({ min: 0, max: 4 }).map((dice) => dice === 0),
    at: fc.option(fc.tuple(fc.nat(70), fc.integer({ min: 1, max: 9 })), { nil: undefined, freq: 3 }),
  }),
  { selector: ({ index }) => index, maxLength: 7 },
);

const base = { 4: 0x0a000000n, 6: 0xfd00n << 112n };
const selector = {
  nodeSelectorTerms: [{ matchExpressions: [{ key: "pool", operator: "In", values: ["yes"] }] }],
};

/** The spec that a shape stands for. */
export function specOf(shape: Shape, family: 4 | 6): JsonObject {
  const ip = (offset: number) => ({ family, value: base[family] + BigInt(offset) });
  const cidr = (offset: number, bits: number) =>
    formatCidr({ ip: ip(offset), prefix: bitsOf(family) - bits });
  const { kind, bits, blockBits, size, gateway, reserved, statics } = shape;
  const common = {
    exclusions: shape.exclusions.map(([a, b]) => ({ startIP: formatIp(ip(a)), endIP: formatIp(ip(b)) })),
    perNodeExclusions: shape.perNode.map(([startIndex, endIndex]) => ({ startIndex, endIndex })),
    perNodeReserved: { first: reserved[0], last: reserved[1] },
    ...(shape.onlyLabelled && { nodeSelector: selector }),
  };
  if (kind === "IPPool")
    return {
      subnet: cidr(0, bits),
      perNodeBlockSize: size,
      ...(gateway !== undefined && { gateway: formatIp(ip(gateway)) }),
      ...common,
    };
  return {
    cidr: cidr(0, bits),
    perNodeNetworkPrefix: bitsOf(family) - blockBits,
    ...(gateway !== undefined && { gatewayIndex: gateway }),
    staticAllocations: statics.map(({ index, nodeName, gateway: own }) => ({
      prefix: cidr(index * 2 ** blockBits, blockBits),
      ...(nodeName !== undefined && { nodeName }),
      ...(own !== undefined && { gateway: formatIp(ip(index * 2 ** blockBits + own)) }),
    })),
    ...common,
  };
}

/** Undefined where the shape breaks a rule. */
export function poolOf(shape: Shape, family: 4 | 6): Pool | undefined {
  const read = readPool({ kind: shape.kind, name: "p", uid: "p-1", spec: specOf(shape, family) });
  return "pool" in read ? read.pool : undefined;
}

/** Where a recorded block's addresses begin, and how many they are, from the network's first. */
export function addressesOf(shape: Shape, { index, at }: Recorded): [first: number, count: number] {
  if (at) return at;
  const size = shape.kind === "IPPool" ? shape.size : 2 ** shape.blockBits;
  return [(shape.kind === "IPPool" && shape.bits > 1 ? 1 : 0) + index * size, size];
}

export function blockOf(shape: Shape, family: 4 | 6, recorded: Recorded): Block {
  const { index, nodeName, sameUID, samePool, closing } = recorded;
  const [first, count] = addressesOf(shape, recorded);
  const ip = (offset: number) => ({ family, value: base[family] + BigInt(offset) });
  return {
    name: `${shape.kind.toLowerCase()}.p.${index}`,
    pool: { kind: shape.kind, name: "p", uid: samePool ? "p-1" : "p-0" },
    index: BigInt(index),
    span: { first: ip(first), last: ip(first + count - 1) },
    nodeName,
    nodeUID: `${nodeName}-${sameUID ? 1 : 0}`,
    closing,
  };
}
