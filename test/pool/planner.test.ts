import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { spanOfBlock } from "../../src/pool/grid.ts";
import { createPlanner, type Planner } from "../../src/pool/planner.ts";
import type { Pool } from "../../src/pool/pool.ts";
import { readPool } from "../../src/pool/read-pool.ts";
import { blockOf, poolOf, recordings, shapes } from "./pool-shapes.ts";

function read(spec: Record<string, unknown>, kind: Pool["kind"] = "IPPool"): Pool {
  const found = readPool({ kind, name: "p", uid: "p-1", spec });
  if (!("pool" in found)) throw new Error(JSON.stringify(found.faults));
  return found.pool;
}

function placeMany(planner: Planner, count: number): (bigint | string)[] {
  return Array.from({ length: count }, (_, i) => {
    const placed = planner.place({ name: `node-${i}` });
    return "index" in placed ? placed.index : placed.why;
  });
}

describe("placing one node after another", () => {
  it("fills up what was given back first, the lowest first", () => {
    const planner = createPlanner(read({ subnet: "10.0.0.0/24", perNodeBlockSize: 10 }));
    expect(placeMany(planner, 8)).toEqual([0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n]);
    for (const index of [6n, 2n, 4n, 2n]) planner.release(index);
    expect(planner.free).toBe(20n);
    expect(placeMany(planner, 4)).toEqual([2n, 4n, 6n, 8n]);
  });

  it("occupying or releasing the same twice is as good as once", () => {
    const pool = read({ subnet: "10.0.0.0/24", perNodeBlockSize: 10 });
    const planner = createPlanner(pool);
    for (const index of [0n, 0n, 1n]) planner.occupy({ index, span: spanOfBlock(pool.grid, index) });
    for (const index of [0n, 0n, 9n]) planner.release(index);
    expect(planner.free).toBe(24n);
    expect(placeMany(planner, 2)).toEqual([0n, 2n]);
  });

  it("a block whose addresses are another's keeps both from being given, until it is gone", () => {
    const pool = read({ subnet: "10.0.0.0/24", perNodeBlockSize: 10 });
    const planner = createPlanner(pool);
    planner.occupy({ index: 4n, span: spanOfBlock({ ...pool.grid, size: 20n }, 0n) });
    expect(planner.free).toBe(22n);
    expect(placeMany(planner, 3)).toEqual([2n, 3n, 5n]);
    planner.release(4n);
    expect(placeMany(planner, 4)).toEqual([0n, 1n, 4n, 6n]);
  });

  it("2^64 blocks, huge exclusions, and blocks at the very end are no matter", () => {
    const last = (1n << 64n) - 1n;
    const pool = read(
      {
        cidr: "fd00::/32",
        perNodeNetworkPrefix: 96,
        exclusions: [
          { startIP: "fd00:0:8000::", endIP: "fd00:0:ffff:ffff:ffff:ffff:ffff:ffff" },
          { startIP: "fd00::", endIP: "fd00::2:ffff:ffff" },
        ],
        staticAllocations: [{ prefix: "fd00:0:7fff:ffff:ffff:ffff::/96", nodeName: "node-1" }],
      },
      "CIDRPool",
    );
    const planner = createPlanner(pool);
    planner.occupy({ index: last, span: spanOfBlock(pool.grid, last) });
    planner.occupy({ index: 3n, span: spanOfBlock({ ...pool.grid, size: 1n << 80n }, 0n) });
    expect(planner.total).toBe((1n << 63n) - 3n);
    expect(planner.free).toBe((1n << 63n) - (1n << 48n));
    expect(placeMany(planner, 3)).toEqual([1n << 48n, (1n << 63n) - 1n, (1n << 48n) + 1n]);
  });

  it("whatever came and went before, it gives what a planner gives that was made anew", () => {
    const action = fc.record({
      do: fc.constantFrom("occupy", "release", "place"),
      which: fc.nat(6),
      index: fc.nat(20),
    });
    fc.assert(
      fc.property(
        shapes,
        fc.constantFrom(4 as const, 6 as const),
        recordings,
        fc.array(action, { maxLength: 40 }),
        (shape, family, recorded, actions) => {
          const pool = poolOf(shape, family);
          fc.pre(pool !== undefined);
          const planner = createPlanner(pool);
          const there = new Map<bigint, Parameters<Planner["occupy"]>[0]>();
          for (const { do: what, which, index } of actions) {
            const fresh = createPlanner(pool);
            for (const block of there.values()) fresh.occupy(block);
            const one = recorded[which];
            if (what === "place") {
              const placed = planner.place({ name: "abcdefgh".charAt(which) });
              expect(placed).toEqual(fresh.place({ name: "abcdefgh".charAt(which) }));
              if ("index" in placed)
                there.set(placed.index, { index: placed.index, span: spanOfBlock(pool.grid, placed.index) });
            } else if (what === "release") {
              planner.release(BigInt(index));
              there.delete(BigInt(index));
            } else if (one && !there.has(BigInt(one.index))) {
              const block = blockOf(shape, family, one);
              planner.occupy(block);
              there.set(block.index, block);
            }
            expect(planner.free).toBe(refill(pool, there).free);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

function refill(pool: Pool, blocks: Map<bigint, Parameters<Planner["occupy"]>[0]>): Planner {
  const planner = createPlanner(pool);
  for (const block of blocks.values()) planner.occupy(block);
  return planner;
}
