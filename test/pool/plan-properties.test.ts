import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseIp } from "../../src/address/ip.ts";
import { overlaps } from "../../src/address/range.ts";
import { formatPoolAnnotation, parsePoolAnnotation } from "../../src/api/pool-annotation.ts";
import { poolKey } from "../../src/api/pool-names.ts";
import { type Block, draftBlock, readBlock } from "../../src/pool/block.ts";
import { countAddresses } from "../../src/pool/count-addresses.ts";
import { spanOfBlock } from "../../src/pool/grid.ts";
import { type Plan, plan } from "../../src/pool/plan.ts";
import type { Pool, PoolNode } from "../../src/pool/pool.ts";
import { projectBlocks } from "../../src/pool/project-blocks.ts";
import { planNaively, podAddresses, type Told } from "./naive-planner.ts";
import {
  addressesOf,
  blockOf,
  nodeLists,
  poolOf,
  type Recorded,
  recordings,
  type Shape,
  shapes,
} from "./pool-shapes.ts";

const families = fc.constantFrom(4 as const, 6 as const);

function planFor(pool: Pool, nodes: PoolNode[], blocks: Block[]): Plan {
  return plan([{ kind: pool.kind, name: pool.name, uid: pool.uid, deleting: false, pool }], nodes, blocks);
}

function tell(pool: Pool, { create, close, orphans, unplaced, doubtful, planners }: Plan): Told {
  const planner = planners.get(poolKey(pool));
  return {
    create: create.map(({ index, node }) => `${index} ${node.name}`),
    close: close.map(({ block, why }) => `${block.index} ${why}`),
    orphans: orphans.map(({ index }) => Number(index)),
    unplaced: unplaced.map(({ node, why }) => `${node.name} ${why}`),
    doubtful: doubtful.map(({ block, why }) => `${block.index} ${why}`),
    total: Number(planner?.total),
    free: Number(planner?.free),
    addresses: Number(countAddresses(pool)),
  };
}

/** A good pool, its nodes, and what is recorded of it. */
function check(
  look: (world: {
    shape: Shape;
    family: 4 | 6;
    pool: Pool;
    nodes: PoolNode[];
    recorded: Recorded[];
    blocks: Block[];
  }) => void,
): void {
  const property = fc.property(shapes, families, nodeLists, recordings, (shape, family, nodes, recorded) => {
    const pool = poolOf(shape, family);
    fc.pre(pool !== undefined);
    look({
      shape,
      family,
      pool,
      nodes,
      recorded,
      blocks: recorded.map((one) => blockOf(shape, family, one)),
    });
  });
  fc.assert(property, { numRuns: 400 });
}

describe("plans of a pool", () => {
  it("are those of a planner that looks at every address", () => {
    check(({ shape, family, pool, nodes, recorded, blocks }) => {
      expect(tell(pool, planFor(pool, nodes, blocks))).toEqual(planNaively(shape, family, nodes, recorded));
    });
  });

  it("don't depend on the order of what they are made from", () => {
    check(({ pool, nodes, blocks }) => {
      const turned = planFor(pool, nodes.toReversed(), blocks.toReversed());
      expect(tell(pool, turned)).toEqual(tell(pool, planFor(pool, nodes, blocks)));
    });
  });

  it("give no address twice: neither recorded ones nor each other's", () => {
    check(({ pool, nodes, blocks }) => {
      const given = planFor(pool, nodes, blocks).create.map(({ index }) => spanOfBlock(pool.grid, index));
      const recorded = blocks.flatMap(({ span }) => span ?? []);
      for (const [i, span] of given.entries())
        expect([...recorded, ...given.slice(0, i)].some((other) => overlaps(span, other))).toBe(false);
    });
  });

  it("carried out, leave nothing to be created, and no block has moved", () => {
    check(({ pool, nodes, blocks }) => {
      const first = planFor(pool, nodes, blocks);
      const after = carryOut(first, blocks);
      const second = planFor(pool, nodes, after);
      expect(second.create).toEqual([]);
      expect(second.close).toEqual([]);
      expect(tell(pool, second).unplaced).toEqual(tell(pool, first).unplaced);
      for (const block of blocks)
        expect(after.find(({ name }) => name === block.name)).toMatchObject({
          span: block.span,
          nodeUID: block.nodeUID,
        });
    });
  });

  it("are the same whether nodes come all at once or one by one", () => {
    check(({ pool, nodes, blocks }) => {
      const inOrder = nodes.toSorted((a, b) => (a.name < b.name ? -1 : 1));
      const all = planFor(pool, inOrder, blocks);
      const wanted = [...all.create, ...all.unplaced].map(({ node }) => node);
      const planner = planFor(pool, [], blocks).planners.get(poolKey(pool));
      const placed = inOrder
        .filter((node) => wanted.includes(node))
        .map((node) => [node.name, planner?.place(node)] as const);
      const expected = [
        ...all.create.map(({ node, index }) => [node.name, { index }] as const),
        ...all.unplaced.map(({ node, why }) => [node.name, { why }] as const),
      ];
      expect(Object.fromEntries(placed)).toEqual(Object.fromEntries<unknown>(expected));
      expect(planner?.free).toBe(all.planners.get(poolKey(pool))?.free);
    });
  });

  it("give IPv4 and IPv6 pools of one shape the same indexes", () => {
    check(({ shape, nodes, recorded }) => {
      // IPv4's broadcast address is what they differ by.
      const last = shape.kind === "CIDRPool" ? 2 ** shape.blockBits - 1 : shape.size - 1;
      const alike: Shape =
        shape.kind === "CIDRPool" && last > 1
          ? { ...shape, perNode: [...shape.perNode, [last, last]], reserved: [shape.reserved[0], 0] }
          : shape;
      const [four, six] = [poolOf(alike, 4), poolOf(alike, 6)];
      fc.pre(four !== undefined && six !== undefined && four.grid.count === six.grid.count);
      const own = recorded.filter(({ at, index }) => at === undefined && index < four.grid.count);
      const told = [four, six].map((pool) => {
        const { addresses: _, ...rest } = tell(
          pool,
          planFor(
            pool,
            nodes,
            own.map((one) => blockOf(alike, pool.grid.family, one)),
          ),
        );
        return rest;
      });
      expect(told[0]).toEqual(told[1]);
    });
  });

  it("leave every block where it is when the pool grows or shrinks", () => {
    check(({ shape, family, nodes, pool }) => {
      const given = carryOut(planFor(pool, nodes, []), []);
      for (const bits of [shape.bits + 1, shape.bits - 1]) {
        const other = poolOf({ ...shape, bits }, family);
        if (other?.grid.first !== pool.grid.first) continue;
        const next = planFor(other, nodes, given);
        expect(next.close).toEqual([]);
        const spans = given.flatMap(({ span }) => span ?? []);
        for (const { index } of next.create)
          expect(spans.some((span) => overlaps(span, spanOfBlock(other.grid, index)))).toBe(false);
        if (bits > shape.bits)
          expect(next.create.every(({ node }) => given.every(({ nodeName }) => nodeName !== node.name))).toBe(
            true,
          );
      }
    });
  });
});

describe("annotations", () => {
  it("say each address that pods may get once, and no other, in what the plugin reads", () => {
    check(({ shape, family, pool, recorded, blocks }) => {
      const annotation = projectBlocks(pool, "x", blocks);
      const { blocks: shown } = annotation;
      expect(parsePoolAnnotation(formatPoolAnnotation(annotation))).toEqual(annotation);
      const before = new Set<number>();
      for (const one of recorded.toSorted((a, b) => a.index - b.index)) {
        const block = shown.find(({ name }) => name === `${shape.kind.toLowerCase()}.p.${one.index}`);
        if (!block) continue;
        const base = pool.network.ip.value;
        const addresses = block.ranges.flatMap((range) => {
          const [first, last] = range.split("-").map((text) => Number((parseIp(text)?.value ?? 0n) - base));
          return Array.from({ length: Number(last) - Number(first) + 1 }, (_, i) => Number(first) + i);
        });
        const own = podAddresses(shape, family, one.index, addressesOf(shape, one), true);
        expect(addresses).toEqual(own.filter((address) => !before.has(address)));
        for (const address of own) before.add(address);
      }
      if (shape.kind === "IPPool") expect(shown).toHaveLength(blocks.length);
    });
  });
});

/** The blocks that there are when a controller has done what the plan says. */
function carryOut({ create, close }: Plan, blocks: Block[]): Block[] {
  const closing = new Set(close.map(({ block }) => block));
  return [
    ...blocks.map((block) => (closing.has(block) ? { ...block, closing: true } : block)),
    ...create.flatMap(({ pool, node, index }) => readBlock(draftBlock(pool, node, index)) ?? []),
  ];
}
