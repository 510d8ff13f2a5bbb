import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { NodeBlock } from "../../src/api/node-block.ts";
import { type NvPool, poolGridKey, readNvPool } from "../../src/api/nv-ipam.ts";
import type { PoolKind } from "../../src/api/pool-kind.ts";
import { formatAllocation } from "../../src/move/format-allocation.ts";
import type { OwnObject } from "../../src/move/own-object.ts";
import { ownObjectOf } from "../../src/move/own-object.ts";
import { planClaims, type Surroundings } from "../../src/move/plan-claims.ts";
import { planMove } from "../../src/move/plan-move.ts";
import { planReturn } from "../../src/move/plan-return.ts";
import { formatGrid } from "../../src/move/pool-grid.ts";
import { readBlock } from "../../src/pool/block.ts";
import { createPlanner } from "../../src/pool/planner.ts";
import type { Pool, PoolNode } from "../../src/pool/pool.ts";
import { readPool } from "../../src/pool/read-pool.ts";
import type { JsonObject } from "../../src/text/json.ts";
import { shapes, specOf } from "../pool/pool-shapes.ts";

const names = ["n1", "n2", "n3", "n4"];
const nodes = new Map<string, PoolNode>(
  names.map((name) => [name, { name, uid: `uid-of-${name}`, labels: { pool: "yes" } }]),
);
const empty: Surroundings = { nodes, blocks: [], own: [] };

function nvPool(kind: PoolKind, spec: JsonObject, allocations: unknown[], metadata: object = {}): NvPool {
  const item = {
    metadata: { name: "a", namespace: "kube-system", uid: "u-1", resourceVersion: "7", ...metadata },
    spec,
    status: { allocations },
  };
  return readNvPool(kind, item) as NvPool;
}

const subnet = { subnet: "192.168.0.0/24", perNodeBlockSize: 15, gateway: "192.168.0.1" };
const given = (nodeName: string, startIP: string, endIP: string) => ({ nodeName, startIP, endIP });

describe("allocations of nv-ipam become NodeBlocks", () => {
  it("example 1: four nodes, each block as it is", () => {
    const allocations = [
      given("n1", "192.168.0.1", "192.168.0.15"),
      given("n2", "192.168.0.16", "192.168.0.30"),
      given("n3", "192.168.0.31", "192.168.0.45"),
      given("n4", "192.168.0.46", "192.168.0.60"),
    ];
    const { create, doubts, notes } = planClaims(nvPool("IPPool", subnet, allocations), empty);
    expect({ doubts, notes }).toEqual({ doubts: [], notes: [] });
    expect(
      create.map(({ metadata, spec }) => [metadata.name, spec.nodeName, spec.nodeUID, spec.first, spec.last]),
    ).toEqual([
      ["ippool.a.0", "n1", "uid-of-n1", "192.168.0.1", "192.168.0.15"],
      ["ippool.a.1", "n2", "uid-of-n2", "192.168.0.16", "192.168.0.30"],
      ["ippool.a.2", "n3", "uid-of-n3", "192.168.0.31", "192.168.0.45"],
      ["ippool.a.3", "n4", "uid-of-n4", "192.168.0.46", "192.168.0.60"],
    ]);
  });

  it("example 9: prefixes past an excluded one, with and without their gateway", () => {
    const spec = {
      cidr: "10.10.0.0/16",
      perNodeNetworkPrefix: 24,
      gatewayIndex: 1,
      exclusions: [{ startIP: "10.10.0.0", endIP: "10.10.0.255" }],
    };
    const allocations = [
      { nodeName: "n1", prefix: "10.10.1.0/24", gateway: "10.10.1.1" },
      { nodeName: "n2", prefix: "10.10.2.0/24" },
    ];
    const { create, doubts } = planClaims(nvPool("CIDRPool", spec, allocations), empty);
    expect(doubts).toEqual([]);
    expect(create.map(({ metadata, spec: { first, last } }) => [metadata.name, first, last])).toEqual([
      ["cidrpool.a.1", "10.10.1.0", "10.10.1.255"],
      ["cidrpool.a.2", "10.10.2.0", "10.10.2.255"],
    ]);
  });

  const good = given("n1", "192.168.0.1", "192.168.0.15");
  const doubtful: [what: string, allocations: unknown[], words: string][] = [
    [
      "the same block of two nodes (example 5)",
      [good, { ...good, nodeName: "n2" }],
      "192.168.0.1-192.168.0.15 is given to n1 and n2",
    ],
    [
      "two blocks of one node",
      [good, given("n1", "192.168.0.16", "192.168.0.30")],
      "n1 has 192.168.0.1-192.168.0.15 and 192.168.0.16-192.168.0.30",
    ],
    [
      "off the grid",
      [good, given("n2", "192.168.0.17", "192.168.0.31")],
      "is off the pool's grid: a block is 192.168.0.16-192.168.0.30",
    ],
    ["overlapping", [good, given("n2", "192.168.0.10", "192.168.0.24")], "is off the pool's grid"],
    [
      "of another size",
      [good, given("n2", "192.168.0.16", "192.168.0.31")],
      "has 16 addresses, and the pool's blocks have 15",
    ],
    ["foreign", [good, given("n2", "10.0.0.1", "10.0.0.15")], "lies outside of 192.168.0.0-192.168.0.255"],
    ["of the other family", [good, given("n2", "fd00::1", "fd00::f")], "lies outside"],
    [
      "beyond the end",
      [good, given("n2", "192.168.0.241", "192.168.0.255")],
      "lies beyond the pool's last block",
    ],
    [
      "the wrong way round",
      [good, given("n2", "192.168.0.30", "192.168.0.16")],
      "the allocation of n2 can't be read",
    ],
    ["unreadable", [good, { nodeName: "n2", startIP: 7 }], "the allocation of n2 can't be read"],
    ["nobody's", [good, { startIP: "192.168.0.16", endIP: "192.168.0.30" }], "names no Node"],
    ["no object", [good, null], "names no Node"],
  ];
  it.each(doubtful)("takes nothing over where an allocation is %s", (_, allocations, words) => {
    const { create, doubts } = planClaims(nvPool("IPPool", subnet, allocations), empty);
    expect(create).toEqual([]);
    expect(doubts.join("\n")).toContain(words);
  });

  it("takes nothing over of a pool that isn't valid, that moved, that is going, or that can't be named", () => {
    const plan = (spec: JsonObject, metadata: object = {}) => {
      const { create, doubts } = planClaims(nvPool("IPPool", spec, [good], metadata), empty);
      expect(create).toEqual([]);
      return doubts.join("\n");
    };
    expect(plan({ ...subnet, gateway: "10.0.0.1" })).toContain(
      "spec.gateway: 10.0.0.1 is outside of 192.168.0.0/24",
    );
    expect(plan({ ...subnet, defautGateway: true })).toContain(
      'unknown key (did you mean "defaultGateway"?)',
    );
    const frozen = (text: string) => ({ annotations: { [poolGridKey]: text } });
    expect(plan(subnet, frozen('{"first":"192.168.0.1","size":"16"}'))).toContain("15 addresses, not 16");
    expect(plan(subnet, frozen("nonsense"))).toContain("not at nonsense");
    expect(plan(subnet, { deletionTimestamp: "2026-01-01T00:00:00Z" })).toContain("it is being deleted");
    expect(plan(subnet, { name: "a".repeat(64) })).toContain("longer than 63 characters");
  });

  it("takes nothing over where statics or a gateway say otherwise", () => {
    const spec = {
      cidr: "10.10.0.0/16",
      perNodeNetworkPrefix: 24,
      gatewayIndex: 1,
      staticAllocations: [{ prefix: "10.10.3.0/24", nodeName: "n3" }, { prefix: "10.10.4.0/24" }],
    };
    const doubtsOf = (...allocations: object[]) =>
      planClaims(nvPool("CIDRPool", spec, allocations), empty).doubts.join("\n");
    expect(doubtsOf({ nodeName: "n1", prefix: "10.10.3.0/24" })).toContain("keep it for another node");
    expect(doubtsOf({ nodeName: "n1", prefix: "10.10.4.0/24" })).toContain(
      "keep it for another node, or for none",
    );
    expect(doubtsOf({ nodeName: "n3", prefix: "10.10.5.0/24" })).toContain("give this node another prefix");
    expect(doubtsOf({ nodeName: "n1", prefix: "10.10.1.0/24", gateway: "10.10.1.9" })).toContain(
      "has the gateway 10.10.1.9, and by the pool's spec it has 10.10.1.1",
    );
    expect(doubtsOf({ nodeName: "n1", prefix: "10.10.1.7/24" })).toContain("can't be read");
    expect(doubtsOf({ nodeName: "n3", prefix: "10.10.3.0/24", gateway: "10.10.3.1" })).toBe("");
  });

  it("never takes a NodeBlock of another node or pool, and finds its own done", () => {
    const from = nvPool("IPPool", subnet, [good]);
    const { create } = planClaims(from, empty);
    const [made] = create as [NodeBlock];
    const withBlock = (spec: Partial<NodeBlock["spec"]>, name = "ippool.a.0") =>
      planClaims(from, {
        ...empty,
        blocks: [{ ...made, metadata: { name }, spec: { ...made.spec, ...spec } }],
      });
    expect(withBlock({})).toMatchObject({
      create: [],
      there: [{ metadata: { name: "ippool.a.0" } }],
      doubts: [],
    });
    expect(withBlock({ nodeName: "n2" }).doubts).toEqual([
      "NodeBlock ippool.a.0 is n2's, and the allocation says n1",
    ]);
    expect(withBlock({ pool: { ...made.spec.pool, uid: "u-0" } }).doubts).toEqual([
      "NodeBlock ippool.a.0 of n1 is of another pool that had this name",
    ]);
    expect(withBlock({ index: "5" }, "ippool.a.5").doubts).toEqual([
      "n1 has NodeBlock ippool.a.5, and another block by its allocation",
    ]);
    const stranger = { kind: "IPPool" as const, name: "a", uid: "o-1", annotations: {} };
    expect(planClaims(from, { ...empty, own: [stranger] }).doubts.join()).toContain(
      "which was not made from it",
    );
    const made2 = { ...stranger, annotations: { "ipam.kube-node.io/moved-from": "u-0, u-1" } };
    expect(planClaims(from, { ...empty, own: [made2] }).doubts).toEqual([]);
  });

  it("says what goes on otherwise: no such Node, not selected, all excluded; and keeps these blocks", () => {
    const spec = {
      ...subnet,
      exclusions: [{ startIP: "192.168.0.31", endIP: "192.168.0.45" }],
      nodeSelector: {
        nodeSelectorTerms: [{ matchExpressions: [{ key: "pool", operator: "In", values: ["yes"] }] }],
      },
    };
    const others = new Map(nodes).set("n2", { name: "n2", uid: "uid-of-n2", labels: {} });
    const allocations = [
      given("gone", "192.168.0.1", "192.168.0.15"),
      given("n2", "192.168.0.16", "192.168.0.30"),
      given("n3", "192.168.0.31", "192.168.0.45"),
    ];
    const { create, doubts, notes } = planClaims(nvPool("IPPool", spec, allocations), {
      ...empty,
      nodes: others,
    });
    expect(doubts).toEqual([]);
    expect(create.map(({ spec: { nodeName, nodeUID } }) => [nodeName, nodeUID])).toEqual([
      ["gone", "gone"],
      ["n2", "uid-of-n2"],
      ["n3", "uid-of-n3"],
    ]);
    expect(notes).toEqual([
      expect.stringContaining("of gone: there is no such Node; kept for blockReleaseDelay"),
      expect.stringContaining("nodeSelector doesn't select it any more"),
      expect.stringContaining("all of it is excluded"),
    ]);
  });

  it("doubts pools of one kind and name in two namespaces, and tells of pools that overlap", () => {
    const here = nvPool("IPPool", subnet, [good]);
    const there = nvPool("IPPool", subnet, [good], { namespace: "other", uid: "u-2" });
    const plan = planMove([here, there], "kube-system", empty, []);
    expect(plan.pools).toHaveLength(1);
    expect(plan.pools[0]).toMatchObject({ create: [] });
    expect(plan.pools[0]?.doubts).toEqual([
      "namespace other has IPPool a as well as kube-system: delete or rename one of them",
    ]);
    expect(plan.elsewhere).toEqual([there]);
    const second = nvPool("IPPool", subnet, [], { name: "b", uid: "u-3" });
    const notes = planMove([here, second], "kube-system", empty, []).pools.flatMap((one) => one.notes);
    expect(notes).toEqual([expect.stringContaining("are also of IPPool a")]);
  });
});

/** What nv-ipam's rules would have given to some nodes, and a few that were given out of order. */
const worlds = fc.tuple(
  shapes,
  fc.constantFrom(4 as const, 6 as const),
  fc.shuffledSubarray(names),
  fc.array(fc.nat(3), { maxLength: 4 }),
);

function givenBy(pool: Pool, some: string[], skips: number[]) {
  const planner = createPlanner(pool);
  return some.flatMap((name, at) => {
    for (let skip = skips[at] ?? 0; skip > 0; skip--) planner.place({ name: `skipped-${skip}` });
    const placed = planner.place({ name });
    return "index" in placed ? [{ nodeName: name, index: placed.index }] : [];
  });
}

describe("random pools and allocations", () => {
  it("NodeBlocks are exactly the allocations, none moved, none doubled; and back gives the same status", () => {
    fc.assert(
      fc.property(worlds, ([shape, family, some, skips]) => {
        const spec = specOf({ ...shape, reserved: [0, 0] }, family);
        delete spec["perNodeReserved"];
        const read = readPool({ kind: shape.kind, name: "a", uid: "u-1", spec });
        fc.pre("pool" in read);
        const places = givenBy(read.pool, some, skips);
        const allocations = places.map((one) => formatAllocation(read.pool, one));
        const from = nvPool(shape.kind, spec, allocations);
        const { create, doubts, pool } = planClaims(from, empty);
        expect(doubts).toEqual([]);
        expect(create.map(({ spec: { index, nodeName } }) => ({ index: BigInt(index), nodeName }))).toEqual(
          places,
        );
        expect(new Set(create.map(({ metadata }) => metadata.name)).size).toBe(places.length);

        const frozen = formatGrid(pool as Pool);
        const marked = nvPool(shape.kind, spec, allocations, {
          annotations: { [poolGridKey]: JSON.stringify(frozen) },
        });
        expect(planClaims(marked, { ...empty, blocks: create })).toMatchObject({
          create: [],
          there: create,
          doubts: [],
        });
        const parts = { namespace: "kube-system", nodes, blocks: create };
        const back = planReturn({ ...parts, nv: marked, own: undefined });
        expect(back).toMatchObject({ doubts: [], missing: [], object: undefined, allocations });

        const { metadata } = ownObjectOf(marked);
        const own: OwnObject = {
          ...{ kind: shape.kind, name: "a", uid: "o-1", resourceVersion: "1", finalizers: [], labels: {} },
          ...{ annotations: metadata.annotations, spec, grid: frozen, isReady: true },
        };
        const again = planReturn({ ...parts, nv: undefined, own });
        expect(again?.doubts).toEqual([]);
        expect(again?.object).toMatchObject({
          spec,
          metadata: { annotations: { "ipam.kube-node.io/moved-from": "o-1,u-1" } },
        });
        expect(new Set(again?.allocations.map((one) => JSON.stringify(one)))).toEqual(
          new Set(allocations.map((one) => JSON.stringify(one))),
        );
      }),
    );
  });

  it("whatever stands in a status, what is claimed was said of that node, and no address is claimed twice", () => {
    const octet = fc.nat(40).map((last) => `192.168.0.${last}`);
    const raw = fc.oneof(
      fc.record({ nodeName: fc.constantFrom(...names), startIP: octet, endIP: octet }),
      fc
        .nat(4)
        .map((at) => given(names[at % 4] as string, `192.168.0.${at * 8 + 1}`, `192.168.0.${at * 8 + 8}`)),
      fc.anything(),
    );
    fc.assert(
      fc.property(fc.array(raw, { maxLength: 5 }), (allocations) => {
        const from = nvPool("IPPool", { ...subnet, perNodeBlockSize: 8 }, allocations);
        const { create, doubts } = planClaims(from, empty);
        expect(create.length).toBe(
          doubts.length > 0 ? 0 : new Set(allocations.map((one) => JSON.stringify(one))).size,
        );
        const addresses = create.map((block) => readBlock(block)?.index);
        expect(new Set(addresses).size).toBe(addresses.length);
        for (const { spec } of create)
          expect(allocations).toContainEqual(
            expect.objectContaining({ nodeName: spec.nodeName, startIP: spec.first, endIP: spec.last }),
          );
      }),
    );
  });
});
