import { describe, expect, it } from "vitest";
import type { PoolKind } from "../../src/api/pool-kind.ts";
import { draftBlock } from "../../src/pool/block.ts";
import type { Pool } from "../../src/pool/pool.ts";
import { readPool } from "../../src/pool/read-pool.ts";
import { claimsOfPools, findPoolWith } from "../../src/survey/pool-claims.ts";
import type { PoolObject, PoolObjects } from "../../src/survey/pool-objects.ts";
import { findPoolStates } from "../../src/survey/pool-states.ts";
import type { JsonObject } from "../../src/text/json.ts";
import { surveyOf } from "./parts.ts";

const everything = () => true;

function poolOf(name: string, spec: JsonObject, kind: PoolKind = "IPPool"): Pool {
  const read = readPool({ kind, name, uid: `uid-of-${name}`, spec });
  if ("pool" in read) return read.pool;
  throw new Error(JSON.stringify(read.faults));
}

const objectOf = (pool: Pool, more: Partial<PoolObject> = {}): PoolObject => ({
  ...{ kind: pool.kind, name: pool.name, uid: pool.uid, deleting: false, status: {}, pool, faults: [] },
  ...more,
});

const objectsOf = (pools: PoolObject[], blocks: PoolObjects["blocks"] = []): PoolObjects => ({
  ...{ pools, blocks, isKnown: true },
});

const net1 = poolOf("net1", {
  subnet: "172.20.0.0/24",
  perNodeBlockSize: 16,
  exclusions: [{ startIP: "172.20.0.128", endIP: "172.20.0.254" }],
});
const block = draftBlock(net1, { name: "a", uid: "uid-of-a" }, 1n);

describe("what pools keep from others", () => {
  it("is a pool's addresses but for those it excludes, given or not", () => {
    const claims = claimsOfPools(objectsOf([objectOf(net1)], [block]));
    const found = (subnet: string) => findPoolWith(claims, [{ subnet }])?.owner;
    expect(found("172.20.0.96/27")).toBe("IPPool net1");
    expect(found("172.20.0.128/25")).toBeUndefined();
    expect(found("172.20.0.0/30")).toBe("IPPool net1");
    expect(found("fd00::/64")).toBeUndefined();
  });

  it("is nothing of a pool that allows overlaps", () => {
    const pool = poolOf("b", { subnet: "10.0.0.0/24", perNodeBlockSize: 16, allowOverlap: true });
    const own = draftBlock(pool, { name: "a", uid: "uid-of-a" }, 0n);
    expect(claimsOfPools(objectsOf([objectOf(pool)], [own]))).toEqual([]);
  });

  it.each([
    ["is gone", []],
    ["has a spec that is no good", [{ ...objectOf(net1), pool: undefined }]],
  ])("is the blocks that are left where the pool %s", (_, pools) => {
    const claims = claimsOfPools(objectsOf(pools, [block]));
    expect(findPoolWith(claims, [{ subnet: "172.20.0.16/28" }])?.owner).toBe(
      "blocks that are left of IPPool net1",
    );
    expect(findPoolWith(claims, [{ subnet: "172.20.0.64/28" }])).toBeUndefined();
  });
});

describe("verify's look at pools", () => {
  const survey = surveyOf(
    {
      a: { k: "172.20.0.0/25" },
      b: { k: "172.20.0.128/25", l: "172.20.0.64/26" },
      c: { podCIDRs: "10.1.0.0/24" },
    },
    [],
    { serviceCIDRs: ["10.96.0.0/16"] },
  );

  it("is one finding a pool, with the first of those it overlaps with, in the controller's words", () => {
    expect(findPoolStates(survey, objectsOf([objectOf(net1)]), everything)).toEqual([
      {
        check: "overlap",
        subjects: ["ippool/net1"],
        key: "ippool.ipam.kube-node.io/net1",
        message:
          "172.20.0.1-172.20.0.126 of IPPool net1 are also of annotation k of a, and of 1 more: exclude them, move one of the two, or set allowOverlap: true where those networks never meet",
      },
    ]);
  });

  it("is none of the pool's own annotation", () => {
    const own = surveyOf({ a: { k: "10.2.0.0/24" } });
    const ranges = [
      ...own.ranges,
      { node: "a", key: "ippool.ipam.kube-node.io/net1", ranges: [[{ subnet: "172.20.0.0/24" }]] },
    ];
    expect(findPoolStates({ ...own, ranges }, objectsOf([objectOf(net1)], [block]), everything)).toEqual([]);
  });

  it.each([
    ["podCIDRs", "10.1.0.0/16", "podCIDRs of c"],
    ["Services", "10.96.4.0/24", "Services"],
  ])("knows %s, where the pool is looked at", (_, subnet, owner) => {
    const pools = objectsOf([objectOf(poolOf("p", { subnet, perNodeBlockSize: 16 }))]);
    const [found] = findPoolStates(survey, pools, everything);
    expect(found?.message).toContain(`of IPPool p are also of ${owner}: `);
    if (owner === "Services") expect(findPoolStates(survey, pools, (key) => key === "k")).toEqual([]);
  });

  it("says why a pool is not ready, once, and nothing of one that goes", () => {
    const status = (reason: string) => ({
      conditions: [
        {
          ...{ type: "Ready", status: "False" as const, reason, message: "words" },
          lastTransitionTime: "2026-01-02T03:04:05Z",
        },
      ],
    });
    const checks = (in_: typeof survey, more: Partial<PoolObject>) =>
      findPoolStates(in_, objectsOf([objectOf(net1, more)]), everything).map(({ check }) => check);
    const calm = surveyOf({});
    expect(checks(calm, { status: status("NoFreeRanges") })).toEqual(["not-ready"]);
    expect(checks(calm, { status: status("Overlap") })).toEqual(["not-ready"]);
    expect(checks(survey, { status: status("Overlap") })).toEqual(["overlap"]);
    expect(checks(calm, { status: status("Deleting"), deleting: true })).toEqual([]);
  });
});
