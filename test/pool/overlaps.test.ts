import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseIp } from "../../src/address/ip.ts";
import { overlaps, type Span } from "../../src/address/range.ts";
import { parseAnnotation } from "../../src/api/annotation.ts";
import type { PoolKind } from "../../src/api/pool-kind.ts";
import type { Block } from "../../src/pool/block.ts";
import {
  type Claim,
  claimOfPool,
  claimsOfAnnotation,
  claimsOfBlocks,
  claimsOfPodCIDRs,
  claimsOfServices,
  type PoolClaim,
} from "../../src/pool/claims.ts";
import { describeOverlap, findOverlaps } from "../../src/pool/overlaps.ts";
import { readPool } from "../../src/pool/read-pool.ts";

function pool(kind: PoolKind, name: string, created: number, spec: object): PoolClaim {
  const read = readPool({ kind, name, uid: name, spec: { ...spec } });
  if (!("pool" in read)) throw new Error(JSON.stringify(read));
  return claimOfPool(read.pool, created);
}
const flat = (name: string, created: number, more: object = {}) =>
  pool("IPPool", name, created, { subnet: "10.1.0.0/24", perNodeBlockSize: 8, ...more });
const cut = (name: string, created: number, more: object = {}) =>
  pool("CIDRPool", name, created, { cidr: "10.1.0.0/20", perNodeNetworkPrefix: 24, ...more });

/** What the pools' conditions say, but for what to do. */
const words = (pools: PoolClaim[], claims: Claim[] = []) => {
  const names = new Map(pools.map(({ key, owner }) => [key, owner]));
  return [...findOverlaps(pools, claims)].map(
    ([key, overlap]) => describeOverlap(names.get(key) ?? "", overlap).split(": exclude")[0],
  );
};

describe("pools that overlap", () => {
  it("are named, both of them, at the one that was made later", () => {
    const said = ["10.1.0.1-10.1.0.254 of CIDRPool b are also of IPPool a"];
    expect(words([flat("a", 1), cut("b", 2)])).toEqual(said);
    expect(words([cut("b", 2), flat("a", 1)])).toEqual(said);
    expect([...findOverlaps([flat("a", 2), cut("b", 1)], []).keys()]).toEqual(["IPPool/a"]);
  });

  it("of the same second: at the one whose name comes later", () => {
    expect([...findOverlaps([flat("b", 1), flat("a", 1)], []).keys()]).toEqual(["IPPool/b"]);
    expect([...findOverlaps([flat("b", 1), cut("a", 1)], []).keys()]).toEqual(["IPPool/b"]);
    expect([...findOverlaps([flat("a", 1), cut("a", 1)], []).keys()]).toEqual(["IPPool/a"]);
  });

  it("are good where one excludes what the other has", () => {
    const exclusions = [{ startIP: "10.1.0.0", endIP: "10.1.0.255" }];
    expect(words([flat("a", 1), cut("b", 2, { exclusions })])).toEqual([]);
    const some = [{ startIP: "10.1.0.0", endIP: "10.1.0.9" }];
    expect(words([flat("a", 1), cut("b", 2, { exclusions: some })])).toEqual([
      "10.1.0.10-10.1.0.254 of CIDRPool b are also of IPPool a",
    ]);
  });

  it("are good where the later one insists, and only there", () => {
    expect(words([flat("a", 1), cut("b", 2, { allowOverlap: true })])).toEqual([]);
    expect(words([flat("a", 1, { allowOverlap: true }), cut("b", 2)])).toHaveLength(1);
  });

  it("are good in different families, and side by side", () => {
    const v6 = { subnet: "::a01:0/120" };
    expect(words([flat("a", 1), flat("b", 2, v6), flat("c", 3, { subnet: "10.1.1.0/24" })])).toEqual([]);
  });
});

describe("a pool that overlaps with", () => {
  const ip = (text: string) => parseIp(text) ?? { family: 4 as const, value: 0n };
  const block = (name: string): Block => ({
    name: `ippool.${name}.0`,
    pool: { kind: "IPPool", name, uid: name },
    index: 0n,
    span: { first: ip("10.1.0.1"), last: ip("10.1.0.8") },
    nodeName: "w1",
    nodeUID: "u",
    closing: false,
  });
  it.each([
    [
      "podCIDRs",
      claimsOfPodCIDRs("w1", ["fd00::/64", "10.1.0.128/25"]),
      "10.1.0.128-10.1.0.254",
      "podCIDRs of w1",
    ],
    ["Services", claimsOfServices(["10.0.0.0/8"]), "10.1.0.1-10.1.0.254", "Services"],
    [
      "an annotation",
      claimsOfAnnotation("w1", "example.com/net", parseAnnotation("10.1.0.10-10.1.0.20/24").ranges),
      "10.1.0.10-10.1.0.20",
      "annotation example.com/net of w1",
    ],
    [
      "another pool's block",
      claimsOfBlocks([block("gone")]),
      "10.1.0.1-10.1.0.8",
      "NodeBlock ippool.gone.0 of w1",
    ],
  ])("%s yields", (_, claims, range, owner) => {
    expect(words([flat("a", 1)], claims)).toEqual([`${range} of IPPool a are also of ${owner}`]);
    expect(words([flat("a", 1, { allowOverlap: true })], claims)).toEqual([]);
  });

  it("its own blocks is good", () => {
    expect(words([flat("a", 1)], claimsOfBlocks([block("a")]))).toEqual([]);
  });

  it("many says how many", () => {
    const claims = [...claimsOfServices(["10.1.0.0/16"]), ...claimsOfPodCIDRs("w1", ["10.1.0.0/24"])];
    expect(words([flat("a", 1), flat("b", 2)], claims)).toEqual([
      "10.1.0.1-10.1.0.254 of IPPool a are also of Services, and of 1 more",
      "10.1.0.1-10.1.0.254 of IPPool b are also of IPPool a, and of 2 more",
    ]);
  });
});

describe("on any pools and claims", () => {
  const span = fc
    .record({ family: fc.constantFrom(4 as const, 6 as const), first: fc.nat(40), size: fc.nat(8) })
    .map(
      ({ family, first, size }): Span => ({
        first: { family, value: BigInt(first) },
        last: { family, value: BigInt(first + size) },
      }),
    );
  const spans = fc.array(span, { minLength: 1, maxLength: 3 });
  const somePools = fc
    .array(fc.record({ spans, created: fc.nat(3), allowOverlap: fc.boolean() }), { maxLength: 6 })
    .map((list) => list.map((one, at) => ({ ...one, key: `IPPool/p${at}`, owner: `IPPool p${at}` })));
  const someClaims = fc
    .array(fc.record({ span, pool: fc.nat(8) }), { maxLength: 8 })
    .map((list) =>
      list.map((one, at) => ({ owner: `claim ${at}`, span: one.span, pool: `IPPool/p${one.pool}` })),
    );

  const isBefore = (a: PoolClaim, b: PoolClaim) =>
    a !== b && (a.created < b.created || (a.created === b.created && a.owner < b.owner));
  const meets = (some: Span[], others: Span[]) =>
    some.some((one) => others.some((other) => overlaps(one, other)));

  it("it finds what looking at each pair finds", () => {
    fc.assert(
      fc.property(somePools, someClaims, (pools, claims) => {
        const found = findOverlaps(pools, claims);
        for (const pool of pools) {
          const others = [
            ...pools.filter((other) => isBefore(other, pool)),
            ...claims
              .filter((claim) => claim.pool !== pool.key)
              .map((one) => ({ ...one, spans: [one.span] })),
          ].filter((other) => meets(other.spans, pool.spans));
          const overlap = found.get(pool.key);
          expect(overlap !== undefined).toBe(others.length > 0 && !pool.allowOverlap);
          if (!overlap) continue;
          expect(overlap.more).toBe(others.length - 1);
          const named = others.find(({ owner }) => owner === overlap.owner);
          expect(meets([overlap.span], named?.spans ?? [])).toBe(true);
          expect(meets([overlap.span], pool.spans)).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("the order in which they come in doesn't matter", () => {
    fc.assert(
      fc.property(somePools, someClaims, (pools, claims) => {
        expect(findOverlaps(pools.toReversed(), claims.toReversed())).toEqual(findOverlaps(pools, claims));
      }),
    );
  });
});

it("what 5,000 nodes have is looked at where a pool reaches, not pairwise", () => {
  let looked = 0;
  const nodes = Array.from({ length: 5000 }, (_, at) => ({
    name: `w${at}`,
    podCIDR: `10.${at >> 8}.${at & 255}.0/24`,
  }));
  const claims = nodes
    .flatMap(({ name, podCIDR }) => claimsOfPodCIDRs(name, [podCIDR]))
    .map((claim) => ({
      ...claim,
      get pool() {
        looked++;
        return "none";
      },
    }));
  const pools = Array.from({ length: 500 }, (_, at) =>
    flat(`p${at}`, at, { subnet: `192.168.${at & 255}.0/24` }),
  );
  expect(findOverlaps([...pools, cut("b", 1000)], claims).get("CIDRPool/b")?.more).toBe(15);
  expect(looked).toBe(16);
});
