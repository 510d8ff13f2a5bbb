// Any pool, Nodes, exclusions and status of nv-ipam's: taken over and given from as its rules say, by a model that goes address by address.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { NvPool } from "../../src/api/nv-ipam.ts";
import { formatAllocation } from "../../src/move/format-allocation.ts";
import { type PoolClaims, planClaims } from "../../src/move/plan-claims.ts";
import { type Block, readBlock } from "../../src/pool/block.ts";
import { plan } from "../../src/pool/plan.ts";
import type { Pool, PoolNode } from "../../src/pool/pool.ts";
import { readPool } from "../../src/pool/read-pool.ts";
import {
  type Allocation,
  allocateByRules,
  type NvCase,
  nvCases,
  describe as say,
  specOf,
  textOf,
} from "./nv-ipam-model.ts";

function nodesOf({ nodes }: NvCase): PoolNode[] {
  return nodes.map(({ name, isLabelled }) => ({
    name,
    uid: `${name}-1`,
    labels: isLabelled ? { pool: "" } : {},
  }));
}

function poolOf(one: NvCase, allocations: unknown[]): NvPool {
  return {
    ...{
      kind: one.kind,
      name: "p",
      namespace: "kube-system",
      uid: "p-1",
      resourceVersion: "1",
      deleting: false,
    },
    ...{ finalizers: [], labels: {}, annotations: {}, spec: specOf(one), allocations },
  };
}

function claim(one: NvCase, allocations: unknown[]): PoolClaims {
  const nodes = new Map(nodesOf(one).map((node) => [node.name, node]));
  return planClaims(poolOf(one, allocations), { nodes, blocks: [], own: [] });
}

const recordedBy = (one: NvCase) => one.recorded.map(({ nodeName, index }) => say(one, nodeName, index));

/** All that the status says once everything is claimed and given. */
function serve(one: NvCase, pool: Pool, blocks: Block[]): Allocation[] {
  const state = { kind: one.kind, name: "p", uid: "p-1", deleting: false, pool };
  const { create } = plan([state], nodesOf(one), blocks);
  return [...blocks, ...create.map(({ node, index }) => ({ nodeName: node.name, index }))]
    .sort((a, b) =>
      a.nodeName === b.nodeName ? Number(a.index - b.index) : a.nodeName < b.nodeName ? -1 : 1,
    )
    .map((block) => formatAllocation(pool, block));
}

const goodCases = nvCases.filter((one) => "pool" in readPool(poolOf(one, [])));

describe("nv-ipam's rules", () => {
  it("what is recorded stays, and every Node that is selected gets the first that is left", () => {
    fc.assert(
      fc.property(goodCases, (one) => {
        const { pool, create, doubts } = claim(one, recordedBy(one));
        expect(doubts).toEqual([]);
        const blocks = create.flatMap((block) => readBlock(block) ?? []);
        expect(blocks).toHaveLength(one.recorded.length);
        expect(serve(one, pool as Pool, blocks)).toEqual(allocateByRules(one));
      }),
      { numRuns: 2000 },
    );
  });

  it("asked again with what it wrote, it takes all of it over and gives no more", () => {
    fc.assert(
      fc.property(goodCases, (one) => {
        const written = allocateByRules(one);
        const isTwice = new Set(written.map(({ nodeName }) => nodeName)).size < written.length;
        fc.pre(!isTwice); // A Node whose block is excluded whole has two.
        const { pool, create, doubts } = claim(one, written);
        expect(doubts).toEqual([]);
        const blocks = create.flatMap((block) => readBlock(block) ?? []);
        expect(serve(one, pool as Pool, blocks)).toEqual(written);
      }),
      { numRuns: 1000 },
    );
  });

  it("one entry that can't be so, and none of it is taken over", () => {
    const flaws = fc.constantFrom(
      "twice",
      "second",
      "shifted",
      "larger",
      "family",
      "garbage",
      "nameless",
      "gateway",
    );
    fc.assert(
      fc.property(goodCases, flaws, fc.nat(), (one, flaw, dice) => {
        const recorded = recordedBy(one);
        fc.pre(recorded.length > 0);
        const at = dice % recorded.length;
        const wrong = spoil(one, recorded[at] as Allocation, flaw);
        fc.pre(wrong !== undefined);
        const allocations =
          flaw === "twice" || flaw === "second"
            ? [...recorded, wrong]
            : recorded.with(at, wrong as Allocation);
        const { create, doubts } = claim(one, allocations);
        expect(doubts.length).toBeGreaterThan(0);
        expect(create).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });
});

function spoil(one: NvCase, entry: Allocation, flaw: string): unknown {
  const { nodeName } = entry;
  const free = Array.from({ length: Math.floor(2 ** one.bits / one.size) - 1 }, (_, i) => i).find(
    (index) => !one.recorded.some((other) => other.index === index),
  );
  const shift = (text: string, by: number) => {
    const last = text.split(one.family === 4 ? "." : "::").at(-1) ?? "";
    const value = one.family === 4 ? Number(last) : Number.parseInt(last || "0", 16);
    return textOf(one, value + by);
  };
  if (flaw === "twice") return { ...entry, nodeName: "zz" };
  if (flaw === "second") return free === undefined ? undefined : say(one, nodeName, free);
  if (flaw === "nameless") return { ...entry, nodeName: "" };
  if (flaw === "garbage") return { nodeName, startIP: "10.0.0", endIP: 7, prefix: "10.0.0.0" };
  if (flaw === "family")
    return one.family === 6
      ? { nodeName, startIP: "10.0.0.1", endIP: "10.0.0.1", prefix: "10.0.0.0/32" }
      : { nodeName, startIP: "fd00::1", endIP: "fd00::1", prefix: "fd00::/128" };
  if (flaw === "gateway") return one.kind === "CIDRPool" ? { ...entry, gateway: "192.0.2.1" } : undefined;
  if (one.kind === "CIDRPool") {
    const [network = "", bits = ""] = (entry.prefix ?? "").split("/");
    return flaw === "larger" ? { ...entry, prefix: `${network}/${Number(bits) - 1}` } : undefined;
  }
  const by = flaw === "shifted" && one.size > 1 ? 1 : 0;
  if (flaw === "shifted" && by === 0) return undefined;
  return { nodeName, startIP: shift(entry.startIP ?? "", by), endIP: shift(entry.endIP ?? "", 1) };
}
