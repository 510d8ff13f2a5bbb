import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Cidr, formatCidr } from "../../src/address/cidr.ts";
import { overlaps, type Span } from "../../src/address/range.ts";
import { formatCommittedPlan, parseCommittedPlan } from "../../src/split/committed-plan.ts";
import type { SplitNode } from "../../src/split/draft.ts";
import { blockAt } from "../../src/split/grid.ts";
import { blockIn, readHeld } from "../../src/split/held.ts";
import { type Assignment, planSplit, type SplitPlan, type SplitRequest } from "../../src/split/plan.ts";
import { keptFromOthers, parseSpan, wholeOf } from "../../src/split/span.ts";
import { parseTerms } from "../../src/split/terms.ts";

// A small space, so that what is random collides: 32 blocks of /28, and 32 of /124.
const cidr = { 4: "10.0.0.0/23", 6: "fd00::/119" };
const perNode = { 4: "/28", 6: "/124" };
const block4 = fc.nat(31).map((index) => `10.0.${index >> 4}.${(index & 15) << 4}/28`);
const block6 = fc.nat(31).map((index) => `fd00::${(index << 4).toString(16)}/124`);
const odd = fc.constantFrom(
  "10.0.0.64/26",
  "10.0.0.5-10.0.0.9/16",
  "192.168.0.0/24",
  "malformed",
  "fd00::/64",
);

const span = fc
  .tuple(fc.nat(511), fc.nat(127))
  .map(([first, more]) =>
    [first, Math.min(511, first + more)].map((n) => `10.0.${n >> 8}.${n & 255}`).join("-"),
  );

const families = fc
  .constantFrom<(4 | 6)[]>(4, 6)
  .chain((one) => fc.constantFrom([one], [4 as const, 6 as const]));
const annotation = fc.option(
  fc.oneof(
    block4,
    block6,
    fc.tuple(block4, block6).map((both) => both.join(",")),
    odd,
  ),
  {
    nil: undefined,
    freq: 1,
  },
);
const nodes: fc.Arbitrary<SplitNode[]> = fc
  .uniqueArray(
    fc.record({
      name: fc.stringMatching(/^[a-z]{1,3}$/),
      uid: fc.uuid(),
      selected: fc.boolean(),
      annotation,
    }),
    { selector: ({ name }) => name, maxLength: 12 },
  )
  .map((all) =>
    all.map(({ annotation, ...rest }) => ({ ...rest, ...(annotation !== undefined && { annotation }) })),
  );

const request: fc.Arbitrary<SplitRequest> = fc
  .record({
    families,
    nodes,
    excluded: fc.array(fc.oneof(block4, block6, span), { maxLength: 3 }),
    reserveFirst: fc.nat(9),
  })
  .map(({ families, nodes, excluded, reserveFirst }) => ({
    key: "k",
    terms: parseTerms({
      cidr: families.map((family) => cidr[family]).join(","),
      perNode: families.map((family) => perNode[family]).join(","),
      exclude: excluded.join(","),
      reserveFirst: String(reserveFirst),
    }),
    nodes,
    reserved: [{ span: parseSpan("10.0.0.32/27"), by: "podCIDRs" }],
    committed: undefined,
    now: new Date(0),
    releaseAfter: 1000,
  }));

function textOf(block: Cidr | undefined): string | undefined {
  return block && formatCidr(block);
}

/** The Nodes as they are once the plan has been carried out, for those that `reaches` picks. */
function carryOut(
  nodes: SplitNode[],
  { assignments }: SplitPlan,
  reaches: (one: Assignment) => boolean,
): SplitNode[] {
  const written = new Map(assignments.filter(reaches).map(({ uid, annotation }) => [uid, annotation]));
  return nodes.map((node) => {
    const annotation = written.get(node.uid) ?? node.annotation;
    return { ...node, ...(annotation !== undefined && { annotation }) };
  });
}

function given({ assignments }: SplitPlan): { uid: string; span: Span; text: string }[] {
  return assignments
    .filter(({ annotation }) => annotation !== undefined)
    .flatMap(({ uid, blocks }) =>
      blocks.map((block) => ({ uid, span: wholeOf(block), text: formatCidr(block) })),
    );
}

/** What a Node that was to be written shares with anybody else. */
function sharedBlocks(plan: SplitPlan): string[] {
  const all = plan.committed.holders.flatMap(({ uid, blocks }) =>
    blocks.map((block) => ({ uid, span: wholeOf(block) })),
  );
  return given(plan)
    .filter(({ uid, span }) => all.some((other) => other.uid !== uid && overlaps(span, other.span)))
    .map(({ text }) => text);
}

describe("whatever nodes there are", () => {
  it("no block is given that another holds, or that is excluded or reserved", () => {
    fc.assert(
      fc.property(request, (request) => {
        const plan = planSplit(request);
        expect(sharedBlocks(plan)).toEqual([]);
        const forbidden = [...request.terms.exclude, ...request.reserved.map(({ span }) => span)];
        const fresh = plan.assignments.filter(({ state, was }) => state === "new" && was === undefined);
        for (const block of fresh.flatMap(({ blocks }) => blocks))
          expect(forbidden.some((span) => overlaps(span, wholeOf(block)))).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  it("the order in which things come makes no difference", () => {
    const shuffled = request.chain((one) =>
      fc
        .shuffledSubarray(one.nodes, { minLength: one.nodes.length })
        .map((nodes) => [one, { ...one, nodes }] as const),
    );
    fc.assert(
      fc.property(shuffled, ([one, other]) => void expect(planSplit(other)).toEqual(planSplit(one))),
      { numRuns: 300 },
    );
  });

  it("a second run, after all, some or none was written, moves nothing and finishes the first", () => {
    fc.assert(
      fc.property(request, fc.func(fc.boolean()), (request, reaches) => {
        const first = planSplit(request);
        const nodes = carryOut(request.nodes, first, ({ uid }) => reaches(uid));
        const again = planSplit({ ...request, nodes, committed: first.committed });
        expect(again.committed).toEqual(first.committed);
        const end = (plan: SplitPlan, from: SplitNode[]) => carryOut(from, plan, () => true);
        expect(end(again, nodes)).toEqual(end(first, request.nodes));
      }),
      { numRuns: 300 },
    );
  });

  it("the lowest free ones are given, as counting them one by one has it", () => {
    fc.assert(
      fc.property(request, (request) => {
        const plan = planSplit(request);
        const occupied = [
          ...request.nodes.flatMap(({ annotation }) => readHeld(annotation).ranges.flat()),
        ].map((range) => keptFromOthers(range, range.subnet.includes(":") ? 124 : 28));
        const all = [...occupied, ...request.terms.exclude, ...request.reserved.map(({ span }) => span)];
        for (const [index, grid] of request.terms.grids.entries()) {
          const free = Array.from({ length: 32 }, (_, number) => blockAt(grid, BigInt(number))).filter(
            (block) => !all.some((span) => overlaps(span, wholeOf(block))),
          );
          const had = request.nodes.map(({ annotation }) => blockIn(readHeld(annotation), grid)).map(textOf);
          const fresh = plan.committed.holders
            .flatMap(({ blocks }) => blocks.filter(({ ip }) => ip.family === grid.network.ip.family))
            .map(textOf)
            .filter((text) => !had.includes(text));
          expect(fresh).toEqual(free.slice(0, plan.uses[index]?.given).map(textOf));
        }
      }),
      { numRuns: 300 },
    );
  });

  it("the plan is read as it was written", () => {
    fc.assert(
      fc.property(request, (request) => {
        const { committed } = planSplit(request);
        const data = formatCommittedPlan(committed);
        expect(formatCommittedPlan(parseCommittedPlan(data))).toEqual(data);
      }),
    );
  });
});

/** Undefined where those that are gone still keep too many of the few blocks there are. */
function planIfRoom(request: SplitRequest): SplitPlan | undefined {
  try {
    return planSplit(request);
  } catch (error) {
    expect((error as Error).message).toMatch(/are free, and \d+ Nodes want one/);
    return undefined;
  }
}

describe("nodes that come and go between runs", () => {
  const step = fc.record({ request, elapsed: fc.nat(1500), reaches: fc.func(fc.boolean()) });

  it("never give a block to two, whichever writes were made", () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 2, maxLength: 5 }), (steps) => {
        const [{ request }] = steps as [(typeof steps)[0], ...typeof steps];
        let committed: SplitRequest["committed"];
        let now = 0;
        const clean = request.nodes.map(({ annotation: _, ...node }) => ({ ...node, selected: true }));
        let living: SplitNode[] = clean;
        for (const { request: other, elapsed, reaches } of steps) {
          now += elapsed;
          const newcomers = other.nodes
            .filter(({ name }) => !living.some((node) => node.name === name))
            .map(({ annotation: _, ...node }) => node);
          living = [...living.filter(({ uid }) => reaches(`stays ${uid}`)), ...newcomers].slice(0, 15);
          const plan = planIfRoom({ ...request, nodes: living, committed, now: new Date(now) });
          if (!plan) return;
          expect(sharedBlocks(plan)).toEqual([]);
          expect(plan.assignments.filter(({ why }) => why !== undefined)).toEqual([]);
          committed = plan.committed;
          living = carryOut(living, plan, ({ uid }) => reaches(`is written ${uid}`));
        }
      }),
      { numRuns: 200 },
    );
  });
});
