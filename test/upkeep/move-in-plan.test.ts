// Whatever nv-ipam's store has: no address is taken over twice, nothing dead, nothing outside of the node's blocks, and each lease has one fate.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatIp } from "../../src/address/ip.ts";
import { spanOf } from "../../src/address/range.ts";
import type { PoolAnnotation } from "../../src/api/pool-annotation.ts";
import type { OldLease } from "../../src/lease/nv-ipam-store.ts";
import type { Life } from "../../src/upkeep/life.ts";
import { planMoveIn } from "../../src/upkeep/move-in-plan.ts";

const annotation: PoolAnnotation = {
  version: 1,
  nodeUID: "u",
  holdsFor: 1,
  blocks: [
    {
      name: "ippool.a.0",
      subnet: "10.1.0.0/16",
      ranges: ["10.1.0.2-10.1.0.5", "10.1.0.8-10.1.0.9"],
      gateway: "10.1.0.1",
    },
    { name: "ippool.a.7", subnet: "10.1.0.0/16", ranges: ["10.1.0.20-10.1.0.29"], closing: true },
  ],
};
const inside = (last: number) => last === 1 || (last >= 2 && last <= 9) || (last >= 20 && last <= 29);

const lease = fc.record({
  last: fc.integer({ min: 0, max: 32 }),
  id: fc.constantFrom("c1", "c2", "c3", "c4", "c5", "c6"),
  pool: fc.constantFrom("a", "a", "a", "b", "elsewhere"),
  life: fc.constantFrom<Life["state"]>("live", "dead", "unknown"),
  network: fc.constantFrom(undefined, undefined, "net1", "net2"),
  doubt: fc.constantFrom(undefined, undefined, undefined, "it is odd"),
});
type Drawn = typeof lease extends fc.Arbitrary<infer T> ? T : never;

function make(drawn: Drawn[]): { leases: OldLease[]; lives: Map<OldLease, Life> } {
  const lives = new Map<OldLease, Life>();
  const leases = drawn.map(({ last, id, pool, life, network, doubt }) => {
    const made: OldLease = {
      ...{ pool, containerID: id, ifname: "net1", pod: {} },
      ip: { family: 4, value: 0x0a010000n + BigInt(last) },
      ...(doubt !== undefined && { doubt }),
    };
    lives.set(made, { state: life, reason: "", ...(network !== undefined && { network }) });
    return made;
  });
  return { leases, lives };
}

const drawn = fc.uniqueArray(lease, { selector: ({ id, pool }) => `${pool} ${id}`, maxLength: 12 });
const pools = [
  { kind: "IPPool" as const, name: "a", annotation },
  { kind: "IPPool" as const, name: "b", annotation: undefined },
];

describe("what is to become of nv-ipam's leases", () => {
  it("holds for any store", () => {
    fc.assert(
      fc.property(drawn, (given) => {
        const { leases, lives } = make(given);
        const { take, left } = planMoveIn(leases, pools, "net1", (one) => lives.get(one as OldLease) as Life);
        const taken = take.flatMap(({ addresses }) => addresses.map((one) => one.lease));
        const ours = leases.filter(({ pool }) => pool !== "elsewhere");
        expect([...taken, ...left.map((one) => one.lease)].map((one) => leases.indexOf(one)).sort()).toEqual(
          ours.map((one) => leases.indexOf(one)).sort(),
        );
        expect(new Set(taken.map(({ ip }) => formatIp(ip))).size).toBe(taken.length);
        for (const one of taken) {
          const life = lives.get(one);
          expect(life?.state).not.toBe("dead");
          expect(life?.network ?? "net1").toBe("net1");
          expect([one.pool, one.doubt]).toEqual(["a", undefined]);
          expect(inside(Number(one.ip.value & 0xffn))).toBe(true);
        }
        for (const { addresses } of take)
          for (const { lease: one, alone } of addresses) {
            const { first, last } = spanOf(alone);
            expect([formatIp(first), formatIp(last)]).toEqual([formatIp(one.ip), formatIp(one.ip)]);
            expect(alone.gateway).not.toBe(formatIp(one.ip));
          }
        const outcomes = left.filter(({ outcome }) => outcome === "waits").map((one) => one.lease.pool);
        expect(outcomes.every((pool) => pool === "b")).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it("of two with one address the one that lives has it, where the other is dead for certain", () => {
    const { leases, lives } = make([
      { last: 3, id: "c1", pool: "a", life: "dead", network: undefined, doubt: undefined },
      { last: 3, id: "c2", pool: "a", life: "unknown", network: undefined, doubt: undefined },
    ]);
    const plan = planMoveIn(leases, pools, "net1", (one) => lives.get(one as OldLease) as Life);
    expect(plan.take.map(({ containerID }) => containerID)).toEqual(["c2"]);
    expect(plan.left.map(({ outcome }) => outcome)).toEqual(["ended"]);
  });
});
